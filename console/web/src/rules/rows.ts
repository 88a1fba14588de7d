// The rules as the list shows them: what is filtered, counted and sorted stands ready in a row.

import type { Rule } from '../gen/vedette/v1/rule_pb';
import { millis, type Severity, severities } from '../live/row';
import { type Trouble, troublesOf } from './health';

export interface Row {
  readonly key: string;
  readonly rule: Rule;
  // The name, as it is sorted.
  readonly name: string;
  readonly severity: Severity;
  // 4 is critical, 0 informational.
  readonly rank: number;
  readonly tactics: readonly string[];
  // What is wrong with it, the worst first.
  readonly troubles: readonly Trouble[];
  readonly state: State;
  readonly day: number;
  // Of the incidents that people have judged; NaN when there are none.
  readonly falseShare: number;
  readonly judged: number;
  // Milliseconds since 1970; 0 for never.
  readonly lastFired: number;
  readonly text: string;
}

export const states = ['ready', 'trouble', 'off'] as const;
export type State = (typeof states)[number];

export const keyOf = (r: Pick<Rule, 'id'>): string => r.id;

export function rowOf(rule: Rule): Row {
  const severity = (severities as readonly string[]).includes(rule.severity) ? (rule.severity as Severity) : 'informational';
  const troubles = troublesOf(rule);
  const use = rule.use;
  const right = Number((use?.truePositives ?? 0n) + (use?.benign ?? 0n));
  const wrong = Number(use?.falsePositives ?? 0n);
  return {
    key: keyOf(rule),
    rule,
    name: rule.name.toLowerCase(),
    severity,
    rank: severities.length - 1 - severities.indexOf(severity),
    tactics: [...new Set(rule.techniques.flatMap((t) => t.tactics))],
    troubles,
    state: !rule.enabled ? 'off' : troubles.length > 0 ? 'trouble' : 'ready',
    day: Number(use?.firesDay ?? 0n),
    judged: right + wrong,
    falseShare: right + wrong > 0 ? wrong / (right + wrong) : NaN,
    lastFired: millis(use?.lastFired),
    text: [rule.name, rule.id, rule.package, rule.author, ...rule.techniques.flatMap((t) => [t.id, t.name])].join('\n').toLowerCase(),
  };
}

export type FacetName = 'state' | 'sev' | 'tactic' | 'lang' | 'source' | 'health' | 'whose' | 'package';
export const facetNames: readonly FacetName[] = ['state', 'health', 'sev', 'tactic', 'lang', 'source', 'whose', 'package'];

// noTactic is the value of a rule that names no technique which is known here.
export const noTactic = 'none';

export function valuesOf(row: Row, facet: FacetName): readonly string[] {
  const { rule } = row;
  switch (facet) {
    case 'state':
      return [rule.enabled ? 'on' : 'off'];
    case 'sev':
      return [row.severity];
    case 'tactic':
      return row.tactics.length > 0 ? row.tactics : [noTactic];
    case 'lang':
      return [rule.code ? 'code' : rule.language];
    case 'source':
      return rule.dataSources;
    case 'health':
      return row.troubles.length > 0 ? [...new Set(row.troubles.map((t) => t.kind))] : ['well'];
    case 'whose':
      return [rule.tenant ? 'own' : 'shared'];
    case 'package':
      return [rule.package];
  }
}

export interface Filter {
  readonly text: string;
  // Values that are let through; none lets all through.
  readonly facets: Readonly<Partial<Record<FacetName, readonly string[]>>>;
}

// select returns what matches, and how often each value of a facet occurs among what matches all other facets.
export function select(all: readonly Row[], { text, facets }: Filter): { rows: Row[]; counts: Record<FacetName, Map<string, number>> } {
  const counts = Object.fromEntries(facetNames.map((n) => [n, new Map<string, number>()])) as Record<FacetName, Map<string, number>>;
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = facetNames.filter((n) => (facets[n]?.length ?? 0) > 0);
  const rows: Row[] = [];
  for (const row of all) {
    if (!words.every((w) => row.text.includes(w))) continue;
    const failed = wanted.filter((n) => !valuesOf(row, n).some((v) => facets[n]!.includes(v)));
    if (failed.length === 0) rows.push(row);
    if (failed.length > 1) continue;
    for (const name of failed.length === 1 ? failed : facetNames) {
      for (const v of valuesOf(row, name)) counts[name].set(v, (counts[name].get(v) ?? 0) + 1);
    }
  }
  return { rows, counts };
}

const by: Record<string, (r: Row) => number | string> = {
  name: (r) => r.name,
  severity: (r) => r.rank,
  fires: (r) => r.day,
  false: (r) => (Number.isNaN(r.falseShare) ? -1 : r.falseShare),
  last: (r) => r.lastFired,
  health: (r) => r.troubles.length,
};

// sorted orders by a column, "-" before it for descending; equal ones by name.
export function sorted(rows: readonly Row[], sort: string): Row[] {
  const sign = sort.startsWith('-') ? -1 : 1;
  const value = by[sort.replace(/^-/, '')] ?? by.name!;
  return rows.toSorted((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x !== y) return x < y ? -sign : sign;
    return a.name === b.name ? (a.key < b.key ? -1 : 1) : a.name < b.name ? -1 : 1;
  });
}
