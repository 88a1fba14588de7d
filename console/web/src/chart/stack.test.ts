import { describe, expect, it } from 'vitest';
import { bucketsOf, stacked, stepFor } from './stack';

describe('charts over time', () => {
  it('stack', () => {
    const series = [{ name: 'a', values: [1, null, 2], color: '' }, { name: 'b', values: [1, 1, 1], color: '' }]; // prettier-ignore
    expect(stacked(series)).toEqual([[1, 0, 2], [2, 1, 3]]);
  });
  it.each([
    [300_000, 5],
    [900_000, 10],
    [3_600_000, 60],
    [86_400_000, 900],
    [7 * 86_400_000, 7_200],
    [365 * 86_400_000, 345_600],
  ])('a range of %d ms has steps of %d s', (range, want) => expect(stepFor(range)).toBe(want));
  it('fill what is missing, and gather the rest', () => {
    const b = (start: number, value: string, count: number) => ({ start, value, count });
    expect(bucketsOf([b(60_000, 'a', 5), b(120_000, 'b', 3), b(120_000, 'c', 1), b(120_000, 'd', 2)], 70_000, 190_000, 60, 3)).toEqual({
      times: [60, 120, 180],
      series: [{ name: 'a', values: [5, 0, 0] }, { name: 'b', values: [0, 3, 0] }, { name: 'other', values: [0, 3, 0] }],
    });
  });
  it('have a bucket when there is nothing', () => expect(bucketsOf([], 0, 1_000, 1, 3)).toEqual({ times: [0], series: [] }));
});
