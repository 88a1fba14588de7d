// A condition of a rule in words, and how far what was measured went past what was asked.

import type { Condition } from '../gen/vedette/v1/incident_pb';
import { count, duration } from '../ui/age';
import { visible } from '../ui/text';

export interface Measure {
  // What was measured: "events within 10 m".
  readonly what: string;
  readonly actual: string;
  // ≥, ≤ and so on; empty when nothing is compared.
  readonly sign: string;
  readonly threshold: string;
  // Both as parts of a bar; undefined when there is nothing to draw.
  readonly bar: { readonly actual: number; readonly threshold: number } | undefined;
}

const signs: Record<string, string> = { '>=': '≥', '>': '>', '<=': '≤', '<': '<', '==': '=', '=': '=', '!=': '≠' };

const aggregate = /^(\w+)\(([^)]*)\) (>=|>|<=|<|==|=|!=) (.+?) (within|in|in a session of) (\d\S*)(?: at most, with gaps up to (\d\S*))?( \(approximate\))?$/;
const edge = /^(.+?) (->|!->|and not before|and not|and) ((?:(?! and ).)+) within (\d\S*)$/;
const first = /^first seen (.+) within (\d\S*)$/;

const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, µs: 1e-3, us: 1e-3, ns: 1e-6 };

// milliseconds reads a duration as Go writes it: "10m0s", "1.5s", "250ms". NaN when it is none.
export function milliseconds(text: string): number {
  if (!/^(\d[\d.]*(h|ms|m|µs|us|ns|s))+$/.test(text)) return NaN;
  let sum = 0;
  for (const [, n, unit] of text.matchAll(/([\d.]+)(h|ms|m|µs|us|ns|s)/g)) sum += Number(n) * units[unit!]!;
  return sum;
}

const inWords = (text: string): string => {
  const ms = milliseconds(text);
  return Number.isNaN(ms) ? visible(text) : duration(ms);
};

const functions: Record<string, (field: string) => string> = {
  count: () => 'events',
  distinct: (field) => `different values of ${field}`,
  sum: (field) => `sum of ${field}`,
  avg: (field) => `average of ${field}`,
  min: (field) => `smallest ${field}`,
  max: (field) => `largest ${field}`,
  percentile: (args) => {
    const [field, rank] = args.split(', ');
    return `${rank} % of values of ${field} are at or below it`;
  },
};

const number = (text: string): string => {
  const n = Number(text);
  return Number.isFinite(n) && text.trim() !== '' ? count(n) : visible(text);
};

function bar(actual: number, threshold: number): Measure['bar'] {
  const most = Math.max(actual, threshold);
  if (!(most > 0) || !Number.isFinite(most) || actual < 0 || threshold < 0) return undefined;
  return { actual: actual / most, threshold: threshold / most };
}

// measureOf reads a condition; titles are the words of the rule's parts. What it cannot read it shows as it is.
export function measureOf(c: Pick<Condition, 'expr' | 'actual' | 'threshold'>, titles: ReadonlyMap<string, string>): Measure {
  const title = (sub: string) => visible(titles.get(sub) || sub);
  return aggregateOf(c) ?? edgeOf(c, title) ?? firstOf(c) ?? { what: visible(c.expr), actual: number(c.actual), sign: c.threshold ? '/' : '', threshold: number(c.threshold), bar: undefined };
}

type Told = Pick<Condition, 'expr' | 'actual' | 'threshold'>;

function aggregateOf(c: Told): Measure | undefined {
  const a = aggregate.exec(c.expr);
  if (!a) return undefined;
  const [, fn, field, op, limit, windows, length, gap, approximate] = a;
  const what = functions[fn!]?.(visible(field!)) ?? `${fn} of ${visible(field!)}`;
  const window = windows === 'within' ? `within ${inWords(length!)}` : windows === 'in' ? `in ${inWords(length!)}` : `in a session without a gap of more than ${inWords(gap ?? length!)}`;
  // What was learnt stands in the formula; the number of now beside what was measured.
  const learnt = /stat\./.test(limit!) ? `; the threshold is ${visible(limit!.replace(/^\((.*)\)$/, '$1').replaceAll('stat.', ''))} of what was learnt` : '';
  return {
    what: `${what} ${window}${learnt}${approximate ? ', approximately' : ''}`,
    actual: number(c.actual.replace(/\+$/, '')) + (c.actual.endsWith('+') ? ' or more' : ''),
    sign: signs[op!] ?? op!,
    threshold: number(c.threshold),
    bar: bar(parseFloat(c.actual), parseFloat(c.threshold)),
  };
}

function edgeOf(c: Told, title: (sub: string) => string): Measure | undefined {
  const e = edge.exec(c.expr);
  if (!e) return undefined;
  const [, from, arrow, to, within] = e;
  const none = (what: string) => ({ what, actual: 'none', sign: '', threshold: '', bar: undefined });
  switch (arrow) {
    case '!->':
      return none(`within ${inWords(within!)} after ${title(from!)}`);
    case 'and not':
      return none(`within ${inWords(within!)} before and after ${title(from!)}`);
    case 'and not before':
      return none(`within ${inWords(within!)} before ${title(from!)}`);
  }
  return {
    what: arrow === '->' ? `after ${title(from!)}` : `from first to last of ${[...from!.split(' and '), to!].map(title).join(' and ')}`,
    actual: inWords(c.actual),
    sign: '≤',
    threshold: inWords(c.threshold),
    bar: bar(milliseconds(c.actual), milliseconds(c.threshold)),
  };
}

function firstOf(c: Told): Measure | undefined {
  const f = first.exec(c.expr);
  if (!f) return undefined;
  return { what: `not seen in ${visible(f[1]!)} for ${inWords(f[2]!)}`, actual: visible(c.actual), sign: '', threshold: '', bar: undefined };
}
