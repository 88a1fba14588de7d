import { expect, test } from 'vitest';
import { bytesAt, offsetAt } from './completion';

test('offsets in bytes and in characters', () => {
  const text = 'näme: ☃ x';
  for (const at of [0, 1, 2, 6, 7, text.length]) expect(offsetAt(text, bytesAt(text, at))).toBe(at);
  expect(bytesAt(text, 7)).toBe(10);
});
