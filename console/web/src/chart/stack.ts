// Arithmetic of charts over time.

export interface Series {
  name: string;
  // One for each moment; null where there is nothing to draw.
  values: readonly (number | null)[];
  // A token: "--chart-high".
  color: string;
}

// stacked adds each series to those before it.
export function stacked(series: readonly Series[]): number[][] {
  const sum: number[] = [];
  return series.map((s) => s.values.map((v, i) => (sum[i] = (sum[i] ?? 0) + (v ?? 0))));
}

// steps are the widths of buckets that people read easily, in seconds.
const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400];
const most = 100; // buckets

// stepFor is the width, in seconds, that makes at most a hundred buckets of a range in milliseconds.
export function stepFor(range: number): number {
  const found = steps.find((s) => range <= s * 1_000 * most);
  return found ?? Math.ceil(range / 86_400_000 / most) * 86_400;
}

export interface Bucket {
  // Milliseconds.
  start: number;
  value: string;
  count: number;
}

export const other = 'other';

// bucketsOf lays counts out over all steps of a range, the most frequent values first; further ones are "other".
export function bucketsOf(buckets: readonly Bucket[], from: number, to: number, step: number, lines: number): { times: number[]; series: { name: string; values: number[] }[] } {
  const width = step * 1_000;
  const first = Math.floor(from / width) * width;
  const n = Math.max(1, Math.ceil((to - first) / width));
  const times = Array.from({ length: n }, (_, i) => (first + i * width) / 1_000);
  const sums = new Map<string, number>();
  for (const b of buckets) sums.set(b.value, (sums.get(b.value) ?? 0) + b.count);
  const names = [...sums].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  const kept = names.length > lines ? names.slice(0, lines - 1) : names;
  const rows = new Map(kept.map((name) => [name, Array<number>(n).fill(0)]));
  if (kept.length < names.length) rows.set(other, Array<number>(n).fill(0));
  for (const b of buckets) {
    const at = Math.floor((b.start - first) / width);
    const row = rows.get(b.value) ?? rows.get(other)!;
    if (at >= 0 && at < n) row[at]! += b.count;
  }
  return { times, series: [...rows].map(([name, values]) => ({ name, values })) };
}
