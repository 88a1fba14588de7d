// The overview as the widgets draw it.

import type { GetOverviewResponse, Series as Counts } from '../gen/vedette/v1/dashboard_pb';
import { millis, severities } from '../live/row';
import { hue, hues, severityColor } from '../chart/palette';
import type { Series } from '../chart/stack';

export const bucket = 10; // seconds of a bucket of events
const minute = 60;
const maxRules = 6; // with a colour of their own

export interface Timed {
  // Seconds since 1970.
  times: number[];
  series: (Series & { label: string; sum: number })[];
}

const numbers = (values: readonly bigint[]): number[] => values.map(Number);
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const timesOf = (from: number, n: number, step: number): number[] => Array.from({ length: n }, (_, i) => from / 1_000 + i * step);

// bySeverity stacks the worst at the bottom, where it can be compared.
export function bySeverity(o: GetOverviewResponse): Timed {
  const found = new Map(o.incidentsBySeverity.map((s) => [s.name, numbers(s.values)]));
  const n = Math.max(0, ...o.incidentsBySeverity.map((s) => s.values.length));
  return {
    times: timesOf(millis(o.from), n, minute),
    series: severities.map((name) => {
      const values = found.get(name) ?? Array<number>(n).fill(0);
      return { name, label: name, values, sum: sum(values), color: severityColor(name) };
    }),
  };
}

const total = (s: Counts): number => sum(numbers(s.values));

// byRule gives the most frequent rules a colour each, in an order that does not change from poll to poll by chance.
export function byRule(o: GetOverviewResponse, titleOf: (rule: string) => string): Timed {
  const all = o.incidentsByRule.map((s) => ({ s, sum: total(s) })).sort((a, b) => b.sum - a.sum || (a.s.name < b.s.name ? -1 : 1));
  const n = Math.max(0, ...o.incidentsByRule.map((s) => s.values.length));
  const kept = all.length > maxRules + 1 ? all.slice(0, maxRules) : all;
  const series = kept.map(({ s, sum }, i) => ({ name: s.name, label: titleOf(s.name), values: numbers(s.values), sum, color: hue(i) }));
  const rest = all.slice(kept.length);
  if (rest.length > 0) {
    const values = Array.from({ length: n }, (_, i) => rest.reduce((a, { s }) => a + Number(s.values[i] ?? 0n), 0));
    series.push({ name: '', label: `${rest.length} other rules`, values, sum: sum(values), color: hue(hues) });
  }
  return { times: timesOf(millis(o.from), n, minute), series };
}

// rates are events per second. The bucket that is being filled is left out, or the line would always fall at its end;
// so is what was before counting began.
export function rates(o: GetOverviewResponse): Timed {
  const n = Math.max(0, o.events.length - 1);
  const times = timesOf(millis(o.from), n, bucket);
  const since = millis(o.since) / 1_000;
  const line = (name: string, values: readonly number[], color: string) => ({
    name, label: name, color, sum: sum(values), values: values.map((v, i) => (times[i]! + bucket <= since ? null : v / bucket)),
  }); // prettier-ignore
  const unparsed = numbers(o.unparsed).slice(0, n);
  const parsed = numbers(o.events).slice(0, n).map((v, i) => Math.max(0, v - (unparsed[i] ?? 0)));
  return { times, series: [line('parsed', parsed, '--accent'), line('unparsed', unparsed, '--warn')] };
}

export interface TopRow {
  value: string;
  count: number;
  tenant: number;
}

export const topOf = (o: GetOverviewResponse, field: string, n: number): TopRow[] =>
  (o.tops.find((t) => t.field === field)?.values ?? []).slice(0, n).map((v) => ({ value: v.value, count: Number(v.count), tenant: v.tenant }));
