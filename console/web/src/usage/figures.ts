// Arithmetic of the usage page: who used how much of the host's processor, and when.

import type { GetUsageResponse, HostUsage, UsageLine } from '../gen/vedette/v1/usage_pb';

// periods are what can be looked at, in seconds.
export const periods = [
  { value: '1h', title: '1 hour', seconds: 3_600 },
  { value: '24h', title: '24 hours', seconds: 86_400 },
  { value: '7d', title: '7 days', seconds: 7 * 86_400 },
  { value: '30d', title: '30 days', seconds: 30 * 86_400 },
] as const;

export interface Row {
  key: string;
  tenant: number;
  module: string;
  shared: boolean;
  cpu: number; // seconds
  share: number; // 0 to 1
  series: readonly number[]; // seconds
  fuel: number;
  records: number;
  events: number;
  findings: number;
  errors: number;
  skipped: number;
  bytesIn: number;
  storedBytes: number;
  requests: number;
}

// rowsOf makes rows of an answer. Shares are of the whole process where that is told, else of what is shown.
export function rowsOf(u: Pick<GetUsageResponse, 'lines' | 'host'>): Row[] {
  const whole = u.host?.cpuSeconds || u.lines.reduce((sum, l) => sum + l.cpuSeconds, 0);
  return u.lines.map((l) => {
    const n = (of: keyof Omit<NonNullable<UsageLine['used']>, '$typeName' | '$unknown'>) => Number(l.used?.[of] ?? 0n);
    return {
      key: `${l.tenant} ${l.module} ${l.shared}`, tenant: l.tenant, module: l.module, shared: l.shared,
      cpu: l.cpuSeconds, share: whole > 0 ? l.cpuSeconds / whole : 0, series: l.cpuSeries,
      fuel: n('fuel'), records: n('records'), events: n('events'), findings: n('findings'), errors: n('errors'), skipped: n('skipped'),
      bytesIn: n('bytesIn'), storedBytes: n('storedBytes'), requests: n('requests'),
    };
  }); // prettier-ignore
}

export type Sortable = 'cpu' | 'fuel' | 'records' | 'events' | 'errors' | 'bytesIn' | 'storedBytes';

// sorted puts rows in order; "-cpu" is the most first.
export function sorted(rows: readonly Row[], by: string): Row[] {
  const down = by.startsWith('-');
  const field = by.replace(/^-/, '') as Sortable;
  return rows.toSorted((a, b) => (down ? b[field] - a[field] : a[field] - b[field]) || a.key.localeCompare(b.key));
}

export interface Part {
  name: string;
  color: string; // a token
  values: number[]; // percent of one core, in each step
}

const mostParts = 7;

// partsOf says how much of a core each organization kept busy in each step, those with the most first; then other
// organizations, and what is the host's own.
export function partsOf(u: Pick<GetUsageResponse, 'lines' | 'host' | 'stepSeconds'>, name: (tenant: number) => string, color: (tenant: number) => string): Part[] {
  const percent = (seconds: number) => (100 * seconds) / u.stepSeconds;
  const by = new Map<number, number[]>();
  for (const l of u.lines) {
    const sum = by.get(l.tenant) ?? l.cpuSeries.map(() => 0);
    l.cpuSeries.forEach((v, i) => (sum[i]! += percent(v)));
    by.set(l.tenant, sum);
  }
  const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const all = [...by].sort((a, b) => total(b[1]) - total(a[1]));
  const shown = all.slice(0, mostParts);
  const parts: Part[] = shown.map(([tenant, values]) => ({ name: name(tenant), color: color(tenant), values }));
  const steps = u.host?.cpuSeries.length ?? all[0]?.[1].length ?? 0;
  const at = (i: number) => shown.reduce((sum, [, values]) => sum + (values[i] ?? 0), 0);
  const others = Array.from({ length: steps }, (_, i) => {
    const charged = u.host ? percent(u.host.chargedSeries[i] ?? 0) : all.reduce((sum, [, v]) => sum + (v[i] ?? 0), 0);
    return Math.max(0, charged - at(i));
  });
  if (total(others) > 0.01 * total(shown.flatMap(([, v]) => v))) parts.push({ name: 'other organizations', color: '--faint', values: others });
  if (u.host) {
    const own = u.host.cpuSeries.map((v, i) => Math.max(0, percent(v - (u.host!.chargedSeries[i] ?? 0))));
    parts.push({ name: 'the host itself', color: '--line-strong', values: own });
  }
  return parts;
}

// restOf is what nobody is charged for, in seconds.
export const restOf = (h: Pick<HostUsage, 'cpuSeconds' | 'chargedSeconds'>): number => Math.max(0, h.cpuSeconds - h.chargedSeconds);

// seconds shows processor time: "4 ms", "1.3 s", "12.3 s", "4 m 10 s", "2 h 3 m".
export function seconds(s: number): string {
  if (s === 0) return '0 s';
  if (s < 0.9995) return s < 0.001 ? '<1 ms' : `${Math.round(s * 1_000)} ms`;
  if (s < 100) return `${s.toFixed(1)} s`;
  const whole = Math.round(s);
  if (whole < 3_600) return `${Math.floor(whole / 60)} m ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} m`;
}

export const share = (part: number): string => (part > 0 && part < 0.001 ? '<0.1 %' : `${(100 * part).toFixed(1)} %`);

const short = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });

// compact shows large counts in the width of a column: "4.14M".
export const compact = (n: number): string => short.format(n);
