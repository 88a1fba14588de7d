import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { RuleGapSchema } from '../gen/vedette/v1/rule_pb';
import { hoursOf } from './figures';
import { lengthOf, standingOf } from './gaps';

test('a gap has a length, and what became of it', () => {
  const gap = (to?: number, madeUp = false) => create(RuleGapSchema, { from: timestampFromMs(60_000), ...(to ? { to: timestampFromMs(to) } : {}), madeUp });
  expect(lengthOf(gap(180_000), 0)).toBe('2 m');
  expect(lengthOf(gap(), 3_660_000)).toBe('1 h');
  expect(lengthOf(gap(60_000), 0)).toBe('–');
  expect([standingOf(gap(1, true)), standingOf(gap(1)), standingOf(gap()), standingOf({ ...gap(1), kind: 'late' })]).toEqual(['made up', 'missed', 'goes on', 'in part']);
});

test('hours without firings are drawn too', () => {
  const { times, values } = hoursOf([{ at: 7_200, fires: 4 }, { at: 0, fires: 9 }], 7_200 + 3_600);
  expect(times).toHaveLength(168);
  expect(times.slice(-3)).toEqual([3_600, 7_200, 10_800]);
  expect(values.slice(-4)).toEqual([9, 0, 4, 0]);
});
