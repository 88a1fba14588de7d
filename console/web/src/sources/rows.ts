// Sources as the page lists them.

import type { Source } from '../gen/vedette/v1/health_pb';
import { millis } from '../live/row';

export interface Row {
  readonly key: string;
  readonly tenant: number;
  readonly peer: string;
  readonly listener: string;
  // As events name it: "listener peer".
  readonly source: string;
  readonly parser: string;
  readonly records: number;
  readonly perSecond: number;
  // 0 to 1; undefined before anything was processed.
  readonly unparsed: number | undefined;
  readonly firstSeen: number;
  readonly lastSeen: number;
  // Open incident that says it fell silent; empty for none.
  readonly silent: string;
}

export function rowOf(s: Source): Row {
  const processed = Number(s.processed);
  return {
    key: `${s.tenant} ${s.listener} ${s.peer}`, tenant: s.tenant, peer: s.peer, listener: s.listener, source: `${s.listener} ${s.peer}`,
    parser: s.parser, records: Number(s.records), perSecond: s.recordsPerSecond, unparsed: processed > 0 ? Number(s.unparsed) / processed : undefined,
    firstSeen: millis(s.firstSeen), lastSeen: millis(s.lastSeen), silent: s.silentIncident,
  }; // prettier-ignore
}

export type Show = 'all' | 'silent' | 'unparsed';

export interface Filter {
  readonly show: Show;
  readonly text: string;
  // Empty for all.
  readonly tenants: readonly number[];
}

const shows: Record<Show, (r: Row) => boolean> = {
  all: () => true,
  silent: (r) => r.silent !== '',
  unparsed: (r) => (r.unparsed ?? 0) > 0,
};

export function select(rows: readonly Row[], { show, text, tenants }: Filter): Row[] {
  const word = text.trim().toLowerCase();
  return rows.filter(
    (r) => shows[show](r) && (tenants.length === 0 || tenants.includes(r.tenant)) && (word === '' || `${r.peer} ${r.listener} ${r.parser}`.toLowerCase().includes(word)),
  );
}

const values: Record<string, (r: Row) => number | string> = {
  peer: (r) => r.peer,
  rate: (r) => r.perSecond,
  unparsed: (r) => r.unparsed ?? -1,
  records: (r) => r.records,
  first: (r) => r.firstSeen,
  last: (r) => r.lastSeen,
};

// sorted orders rows by a column, "-" before it for descending; what is equal stays in the order of its key.
export function sorted(rows: readonly Row[], by: string): Row[] {
  const sign = by.startsWith('-') ? -1 : 1;
  const value = values[by.replace(/^-/, '')] ?? values.last!;
  return rows.toSorted((a, b) => {
    const [x, y] = [value(a), value(b)];
    return x === y ? (a.key < b.key ? -1 : 1) : x < y ? -sign : sign;
  });
}

// share shows a part of a whole: "0 %", "<1 %", "12 %".
export function share(part: number | undefined): string {
  if (part === undefined) return '–';
  if (part > 0 && part < 0.01) return '<1 %';
  return `${part > 0.99 && part < 1 ? 99 : Math.round(part * 100)} %`;
}
