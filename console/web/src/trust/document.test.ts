import { expect, it } from 'vitest';
import { placeOf } from './document';

it('finds places', () => {
  const text = 'one\ntwo\n';
  expect([placeOf(text, 1, 1), placeOf(text, 2, 1), placeOf(text, 2, 3), placeOf(text, 9, 1), placeOf(text, 1, 0), placeOf('', 0, 0)]).toEqual([0, 4, 6, 8, 0, 0]);
});
