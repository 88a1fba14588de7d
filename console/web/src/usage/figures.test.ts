import { describe, expect, it } from 'vitest';
import { partsOf, restOf, rowsOf, seconds, share, sorted } from './figures';

const line = (tenant: number, module: string, cpuSeries: number[], fuel = 0n) =>
  ({ tenant, module, shared: true, cpuSeconds: cpuSeries.reduce((a, b) => a + b, 0), cpuSeries, used: { fuel, records: 2n } }) as never;

const answer = {
  stepSeconds: 60,
  lines: [line(1, 'p/x', [6, 3], 9n), line(2, 'p/x', [3, 0], 5n), line(1, '', [3, 3])],
  host: { cpuSeconds: 30, chargedSeconds: 24, cpuSeries: [20, 10], chargedSeries: [15, 9] } as never,
};

describe('usage', () => {
  it('shares the process where it is told, else what is shown', () => {
    const rows = rowsOf(answer);
    expect(rows.map((r) => [r.key, r.cpu, r.share])).toEqual([['1 p/x true', 9, 0.3], ['2 p/x true', 3, 0.1], ['1  true', 6, 0.2]]);
    expect(rowsOf({ lines: answer.lines, host: undefined })[0]!.share).toBe(0.5);
    expect(rowsOf({ lines: [line(1, '', [0])], host: undefined })[0]!.share).toBe(0);
  });
  it('sorts both ways, equal ones by name', () => {
    const rows = rowsOf(answer);
    expect(sorted(rows, '-fuel').map((r) => r.fuel)).toEqual([9, 5, 0]);
    expect(sorted(rows, 'fuel').map((r) => r.fuel)).toEqual([0, 5, 9]);
    expect(sorted(rows, 'records').map((r) => r.key)).toEqual(['1  true', '1 p/x true', '2 p/x true']);
  });
  it('adds up to the process in each step', () => {
    const parts = partsOf(answer, (t) => `org ${t}`, (t) => `--org-${t}`);
    expect(parts.map((p) => p.name)).toEqual(['org 1', 'org 2', 'other organizations', 'the host itself']);
    const sum = (i: number) => parts.reduce((s, p) => s + p.values[i]!, 0);
    expect(sum(0)).toBeCloseTo((100 * 20) / 60);
    expect(sum(1)).toBeCloseTo((100 * 10) / 60);
    expect(restOf({ cpuSeconds: 30, chargedSeconds: 24 })).toBe(6);
  });
  it('gathers many organizations, and shows no host where none is told', () => {
    const lines = Array.from({ length: 12 }, (_, i) => line(i + 1, '', [12 - i]));
    const parts = partsOf({ stepSeconds: 100, lines, host: undefined }, String, () => '--org-0');
    expect(parts.map((p) => p.name)).toEqual(['1', '2', '3', '4', '5', '6', '7', 'other organizations']);
    expect(parts.at(-1)!.values).toEqual([5 + 4 + 3 + 2 + 1]);
  });
  it('writes times and shares', () => {
    expect([0, 0.0002, 0.0421, 0.9997, 1.26, 12.34, 250, 7_380].map(seconds)).toEqual(['0 s', '<1 ms', '42 ms', '1.0 s', '1.3 s', '12.3 s', '4 m 10 s', '2 h 3 m']);
    expect([0, 0.0004, 0.123].map(share)).toEqual(['0.0 %', '<0.1 %', '12.3 %']);
  });
});
