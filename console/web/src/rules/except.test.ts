import { expect, test } from 'vitest';
import { selectionOf, untilOf } from './except';

test('a selection has the lines that are chosen, as they are', () => {
  const lines = [
    { field: 'source.ip', value: '203.0.113.7', chosen: true },
    { field: 'user.name', value: 'CORP\\anna*', chosen: true },
    { field: 'host.name', value: 'web-1', chosen: false },
    { field: 'source.ip', value: 'say "?"', chosen: true },
  ];
  expect(selectionOf(lines)).toBe('source.ip: ["203.0.113.7", "say \\"\\\\?\\""]\nuser.name: "CORP\\\\\\\\anna\\\\*"\n');
  expect(selectionOf([])).toBe('');
  expect(selectionOf([{ field: 'a: b', value: '-', chosen: true }])).toBe('"a: b": "-"\n');
});

test('a term ends, or does not', () => {
  expect(untilOf('7', 1_000)).toBe(604_801_000);
  expect(untilOf('0', 1_000)).toBeUndefined();
});
