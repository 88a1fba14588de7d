// What kind of chart the table of a statistics query makes.

import type { Event } from '../gen/vedette/v1/event_pb';

export interface Shape {
  columns: string[];
  kind: 'line' | 'bar' | 'none';
  // The column of times or words; empty when there is no chart.
  along: string;
  // The column whose values each get a line or a colour of their own; empty for none.
  by: string;
  // Columns of numbers.
  values: string[];
}

const isTime = (v: string): boolean => /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(v);
export const isNumber = (v: string): boolean => v.trim() !== '' && Number.isFinite(Number(v));

// columnsIn returns all columns: times first, then words, then numbers, as a person reads them.
function columnsIn(rows: readonly Event[]): { columns: string[]; times: string[]; words: string[]; numbers: string[] } {
  const names = new Set<string>();
  for (const r of rows.slice(0, 1_000)) for (const n of Object.keys(r.fields)) names.add(n);
  const sample = rows.slice(0, 200);
  const kindOf = (n: string) => {
    const values = sample.map((r) => r.fields[n] ?? '').filter(Boolean);
    if (values.length === 0) return 'word';
    if (values.every(isTime)) return 'time';
    return values.every(isNumber) ? 'number' : 'word';
  };
  const kinds = new Map([...names].sort().map((n) => [n, kindOf(n)]));
  const of = (kind: string) => [...kinds].filter(([, k]) => k === kind).map(([n]) => n);
  const [times, words, numbers] = [of('time'), of('word'), of('number')];
  return { columns: [...times, ...words, ...numbers], times, words, numbers };
}

// shapeOf looks at the rows: a time and a number are a line, a word and a number are bars, anything else is no chart.
// Numbers that name things (ports, ids) stand before the count in the query's own "by"; so with two columns of numbers
// and no word, the one with more different values is what is counted along.
export function shapeOf(rows: readonly Event[]): Shape {
  const { columns, times, words, numbers } = columnsIn(rows);
  const none: Shape = { columns, kind: 'none', along: '', by: '', values: numbers };
  if (rows.length < 2 || numbers.length === 0) return none;
  if (times.length > 0) return { columns, kind: 'line', along: times[0]!, by: words[0] ?? '', values: numbers };
  if (words.length > 0) return { columns, kind: 'bar', along: words[0]!, by: words[1] ?? '', values: numbers };
  if (numbers.length === 2) {
    const different = (n: string) => new Set(rows.map((r) => r.fields[n])).size;
    const [a, b] = numbers as [string, string];
    const along = different(a) > different(b) || (different(a) === different(b) && !/count|sum|hits|total|events/.test(a)) ? a : b;
    return { columns, kind: 'bar', along, by: '', values: [along === a ? b : a] };
  }
  return none;
}

export const maxBars = 40;
export const maxLines = 8;

export interface Chart {
  kind: 'line' | 'bar';
  // Moments in milliseconds, or words.
  along: (string | number)[];
  series: { name: string; values: (number | null)[] }[];
  // Rows or lines that are not drawn.
  left: number;
}

function largest(rows: readonly Event[], keys: readonly string[], keyOf: (r: Event) => string, values: readonly string[]): string[] {
  const sums = new Map<string, number>();
  for (const r of rows) for (const v of values) sums.set(keyOf(r), (sums.get(keyOf(r)) ?? 0) + (Number(r.fields[v]) || 0));
  return keys.toSorted((a, b) => (sums.get(b) ?? 0) - (sums.get(a) ?? 0));
}

// chartOf arranges the rows for a chart of a kind: the largest lines, over time or the largest bars first.
export function chartOf(rows: readonly Event[], shape: Shape, kind: 'line' | 'bar'): Chart {
  const timed = shape.along !== '' && rows.some((r) => isTime(r.fields[shape.along] ?? ''));
  const keyOf = (r: Event) => r.fields[shape.along] ?? '';
  let keys = [...new Set(rows.map(keyOf))];
  if (timed) keys.sort();
  else keys = largest(rows, keys, keyOf, shape.values);
  const most = timed ? 2_000 : maxBars;
  let left = Math.max(0, keys.length - most);
  keys = keys.slice(0, most);
  const places = new Map(keys.map((k, i) => [k, i]));
  const lines = new Map<string, { name: string; values: (number | null)[]; sum: number }>();
  for (const r of rows) {
    const at = places.get(keyOf(r));
    if (at === undefined) continue;
    for (const v of shape.values) {
      const name = shape.by ? r.fields[shape.by] || '(empty)' : v;
      const line = lines.get(name) ?? { name, values: Array<number | null>(keys.length).fill(shape.by ? 0 : null), sum: 0 };
      const n = Number(r.fields[v]);
      if (r.fields[v] !== undefined && Number.isFinite(n)) {
        line.values[at] = (shape.by ? (line.values[at] ?? 0) : 0) + n;
        line.sum += n;
      }
      lines.set(name, line);
    }
  }
  const all = [...lines.values()].sort((a, b) => b.sum - a.sum);
  left += Math.max(0, all.length - maxLines);
  return { kind, along: timed ? keys.map((k) => Date.parse(k)) : keys, series: all.slice(0, maxLines).map(({ name, values }) => ({ name, values })), left };
}
