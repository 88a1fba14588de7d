// The ATT&CK matrix: what its cells say, and which are shown.

import type { Tactic, TechniqueCoverage } from '../gen/vedette/v1/rule_pb';

export const states = [
  { value: 'covered', sign: '✓', label: 'Covered', about: 'a rule is on, its tests pass, and its data arrived within 24 h' },
  { value: 'silent', sign: '◌', label: 'No data', about: 'a rule is on and tested, but what it needs did not arrive within 24 h' },
  { value: 'failing', sign: '!', label: 'Not proven', about: 'a rule is on, but its tests fail or have not run since the host started, or it has none' },
  { value: 'off', sign: '–', label: 'Off', about: 'there are rules, and none is on' },
  { value: 'none', sign: '', label: 'No rule', about: 'no rule names it' },
] as const;

export type State = (typeof states)[number]['value'];

export const stateOf = (value: string) => states.find((s) => s.value === value) ?? states[4];

export interface Column {
  readonly tactic: Tactic;
  readonly techniques: readonly TechniqueCoverage[];
  // Of all its techniques, those that are covered and those that some rule names.
  readonly covered: number;
  readonly named: number;
}

// columnsOf narrows the matrix: to techniques that some rule names, to a state, to a text. Columns stay where they are.
export function columnsOf(tactics: readonly Tactic[], { all, state, text }: { all: boolean; state: string; text: string }): Column[] {
  const word = text.trim().toLowerCase();
  const has = (t: TechniqueCoverage): boolean => `${t.id} ${t.name}`.toLowerCase().includes(word) || t.subs.some(has);
  const is = (t: TechniqueCoverage) => (state === '' ? all || t.state !== 'none' : t.state === state || t.subs.some((s) => s.state === state));
  return tactics.map((tactic) => ({
    tactic,
    techniques: tactic.techniques.filter((t) => is(t) && has(t)),
    covered: tactic.techniques.filter((t) => t.state === 'covered').length,
    named: tactic.techniques.filter((t) => t.state !== 'none').length,
  }));
}

// countsOf counts techniques by state; one that is in several columns counts once.
export function countsOf(tactics: readonly Tactic[]): Map<string, number> {
  const seen = new Map(tactics.flatMap((t) => t.techniques).map((t) => [t.id, t.state]));
  const out = new Map<string, number>();
  for (const state of seen.values()) out.set(state, (out.get(state) ?? 0) + 1);
  return out;
}

export interface Place {
  readonly column: number;
  readonly row: number;
}

// move goes to the cell in a direction, over columns that have none.
export function move(columns: readonly Pick<Column, 'techniques'>[], at: Place, key: string): Place | undefined {
  const rows = (c: number) => columns[c]?.techniques.length ?? 0;
  const { column, row } = at;
  if (key === 'ArrowDown') return row + 1 < rows(column) ? { column, row: row + 1 } : undefined;
  if (key === 'ArrowUp') return row > 0 ? { column, row: row - 1 } : undefined;
  if (key === 'Home') return { column, row: 0 };
  if (key === 'End') return { column, row: rows(column) - 1 };
  const by = { ArrowRight: 1, ArrowLeft: -1 }[key];
  if (!by) return undefined;
  for (let c = column + by; c >= 0 && c < columns.length; c += by) if (rows(c) > 0) return { column: c, row: Math.min(row, rows(c) - 1) };
  return undefined;
}
