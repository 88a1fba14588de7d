import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { RunVerdictSchema } from '../gen/vedette/v1/rule_pb';
import { reasonOf, select, summaryOf } from './run';

const answer = (events: number, matched: number, incidents = 0, truncated = false) => summaryOf({ events, matched, incidents: new Array(incidents).fill(undefined), truncated });

test('a run is told in a sentence', () => {
  expect(answer(0, 0)).toBe('There is no event to run it over.');
  expect(answer(1, 1, 1)).toBe('The event takes part; 1 incident would be raised.');
  expect(answer(3, 0)).toBe('None of 3 events takes part; no incident would be raised.');
  expect(answer(3, 3, 2)).toBe('All 3 events take part; 2 incidents would be raised.');
  expect(answer(10_000, 1, 0, true)).toBe('1 of the newest 10,000 events takes part; no incident would be raised.');
});

test('an event says the first thing that keeps it out', () => {
  const out = create(RunVerdictSchema, { verdict: { matches: false, subs: [{ sub: 'a', tests: [{ text: 'user.name is root; the event has anna' }, { text: 'second' }] }, { sub: 'b', tests: [{ text: 'other' }] }] } });
  const inside = create(RunVerdictSchema, { verdict: { matches: true, subs: [{ sub: 'a', title: 'a login', matches: true }, { sub: 'b' }] } });
  expect(reasonOf(out)).toBe('user.name is root; the event has anna');
  expect(reasonOf(inside)).toBe('a login');
  expect(reasonOf(create(RunVerdictSchema, { verdict: { notes: ['its code decides'] } }))).toBe('its code decides');
  expect(select([out, inside], 'match')).toEqual([inside]);
  expect(select([out, inside], 'other')).toEqual([out]);
});
