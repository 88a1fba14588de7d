// What narrows the queue, and what its facets count.

import type { Row } from '../live/row';

export type FacetName = 'sev' | 'state' | 'org' | 'rule' | 'tech' | 'host' | 'user' | 'who';
export const facetNames: readonly FacetName[] = ['sev', 'state', 'org', 'rule', 'tech', 'host', 'user', 'who'];

// The address of the queue. A facet with no value, or with `any`, lets everything through.
export const any = 'any';
export const nobody = 'nobody';
export const me = 'me';
export const queueParams = {
  q: '',
  sev: [] as string[],
  state: ['open'],
  org: '', // of the shell: the slug of the organization that is worked in
  in: [] as string[], // organizations that facets narrow to, by number
  rule: [] as string[],
  tech: [] as string[],
  host: [] as string[],
  user: [] as string[],
  who: [] as string[],
  since: '',
  sort: '-opened',
};
export type QueueParams = typeof queueParams;

export interface Filter {
  words: readonly string[];
  // Only facets that narrow.
  facets: ReadonlyMap<FacetName, ReadonlySet<string>>;
  // Changed at or after this moment in milliseconds; 0 for any.
  since: number;
}

export function filterOf(p: QueueParams, user: string, now: Date): Filter {
  const facets = new Map<FacetName, ReadonlySet<string>>();
  for (const name of facetNames) {
    const values = p[name === 'org' ? 'in' : name];
    if (values.length > 0 && !values.includes(any)) facets.set(name, new Set(values.map((v) => (name === 'who' && v === me ? user : v))));
  }
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  return { words: p.q.toLowerCase().split(/\s+/).filter(Boolean), facets, since: p.since === 'today' ? midnight : 0 };
}

// valuesOf returns what a row has of a facet.
export function valuesOf(row: Row, facet: FacetName): readonly string[] {
  switch (facet) {
    case 'sev':
      return [row.severity];
    case 'state':
      return [row.state];
    case 'org':
      return [String(row.tenant)];
    case 'rule':
      return [row.incident.rule];
    case 'tech':
      return row.incident.techniques;
    case 'host':
      return row.hosts;
    case 'user':
      return row.users;
    case 'who':
      return [row.incident.assignee || nobody];
  }
}

const has = (row: Row, facet: FacetName, wanted: ReadonlySet<string>): boolean => valuesOf(row, facet).some((v) => wanted.has(v));

const plain = (row: Row, f: Filter): boolean => row.updated >= f.since && f.words.every((w) => row.text.includes(w));

export function matches(row: Row, f: Filter): boolean {
  if (!plain(row, f)) return false;
  for (const [facet, wanted] of f.facets) if (!has(row, facet, wanted)) return false;
  return true;
}

export type Counts = Record<FacetName, Map<string, number>>;

// countFacets counts each value among the rows that match everything but its own facet, so that the others of a chosen
// facet can be added.
export function countFacets(rows: Iterable<Row>, f: Filter): Counts {
  const counts = Object.fromEntries(facetNames.map((n) => [n, new Map<string, number>()])) as Counts;
  for (const row of rows) {
    if (!plain(row, f)) continue;
    let failed: FacetName | undefined;
    let failures = 0;
    for (const [facet, wanted] of f.facets) {
      if (has(row, facet, wanted)) continue;
      failed = facet;
      if (++failures > 1) break;
    }
    if (failures > 1) continue;
    for (const name of failed ? [failed] : facetNames) {
      for (const v of valuesOf(row, name)) counts[name].set(v, (counts[name].get(v) ?? 0) + 1);
    }
  }
  return counts;
}

export type Compare = (a: Row, b: Row) => number;

const keys: Record<string, (r: Row) => number | string> = {
  opened: (r) => r.opened,
  last: (r) => r.lastSeen,
  severity: (r) => r.rank,
  count: (r) => r.count,
};

// compareBy reads "-opened": by a column, descending. Equal rows stand newest first, then by id, so that they never jump.
export function compareBy(sort: string): Compare {
  const by = keys[sort.replace(/^-/, '')] ?? keys.opened!;
  const sign = sort.startsWith('-') ? -1 : 1;
  return (a, b) => {
    const x = by(a);
    const y = by(b);
    if (x !== y) return x < y ? -sign : sign;
    if (a.opened !== b.opened) return b.opened - a.opened;
    return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
  };
}
