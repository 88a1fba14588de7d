// A condition of a rule in words, and how far what was measured went past what was asked.

import type { Condition } from '../gen/vedette/v1/incident_pb';
import { count } from '../ui/age';
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

const aggregate = /^(\w+)\(([^)]*)\) (>=|>|<=|<|==|=|!=) (\S+) within (\S+)$/;
const edge = /^(\S+) (!?->) (\S+) within (\S+)$/;

const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, µs: 1e-3, us: 1e-3, ns: 1e-6 };

// milliseconds reads a duration as Go writes it: "10m0s", "1.5s", "250ms". NaN when it is none.
export function milliseconds(text: string): number {
  if (!/^(\d[\d.]*(h|ms|m|µs|us|ns|s))+$/.test(text)) return NaN;
  let sum = 0;
  for (const [, n, unit] of text.matchAll(/([\d.]+)(h|ms|m|µs|us|ns|s)/g)) sum += Number(n) * units[unit!]!;
  return sum;
}

// duration is a stretch of time in at most two units: "10 m", "1 m 3 s", "250 ms".
export function duration(ms: number): string {
  if (ms < 1_000) return ms < 1 ? '0 s' : `${Math.round(ms)} ms`;
  if (ms < 10_000 && ms % 1_000 !== 0) return `${(ms / 1_000).toFixed(1)} s`;
  let rest = Math.round(ms / 1_000);
  const out: string[] = [];
  for (const [unit, seconds] of [['d', 86_400], ['h', 3_600], ['m', 60], ['s', 1]] as const) {
    const n = Math.floor(rest / seconds);
    rest -= n * seconds;
    if (n > 0) out.push(`${n} ${unit}`);
    else if (out.length > 0) break;
    if (out.length === 2) break;
  }
  return out.join(' ');
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
  const a = aggregate.exec(c.expr);
  if (a) {
    const [, fn, field, op, , within] = a;
    const what = functions[fn!]?.(visible(field!)) ?? `${fn} of ${visible(field!)}`;
    return {
      what: `${what} within ${inWords(within!)}`,
      actual: number(c.actual.replace(/\+$/, '')) + (c.actual.endsWith('+') ? ' or more' : ''),
      sign: signs[op!] ?? op!,
      threshold: number(c.threshold),
      bar: bar(parseFloat(c.actual), parseFloat(c.threshold)),
    };
  }
  const e = edge.exec(c.expr);
  if (e) {
    const [, from, arrow, , within] = e;
    if (arrow === '!->') {
      return { what: `within ${inWords(within!)} after ${title(from!)}`, actual: 'none', sign: '', threshold: '', bar: undefined };
    }
    return {
      what: `after ${title(from!)}`,
      actual: inWords(c.actual),
      sign: '≤',
      threshold: inWords(c.threshold),
      bar: bar(milliseconds(c.actual), milliseconds(c.threshold)),
    };
  }
  return { what: visible(c.expr), actual: number(c.actual), sign: c.threshold ? '/' : '', threshold: number(c.threshold), bar: undefined };
}
