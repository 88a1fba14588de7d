// Times at which rules were not evaluated, as they are shown.

import type { RuleGap } from '../gen/vedette/v1/rule_pb';
import { duration } from '../ui/age';
import { millis } from '../live/row';

export const kinds = [
  { value: 'down', label: 'Host down' },
  { value: 'off', label: 'Switched off' },
  { value: 'suspended', label: 'Suspended' },
  { value: 'resting', label: 'Over a quota' },
  { value: 'late', label: 'Data late' },
  { value: 'evicted', label: 'State dropped' },
] as const;

export const kindWord = (kind: string): string => kinds.find((k) => k.value === kind)?.label ?? kind;

// lengthOf is how long a gap was, or is; an eviction has no length.
export function lengthOf(g: Pick<RuleGap, 'from' | 'to'>, now: number): string {
  const [from, to] = [millis(g.from), g.to ? millis(g.to) : now];
  return to > from ? duration(to - from) : '–';
}

export const standings = ['missed', 'goes on', 'in part', 'made up'] as const;
export type Standing = (typeof standings)[number];

// standingOf says what became of what came meanwhile.
export function standingOf(g: Pick<RuleGap, 'kind' | 'madeUp' | 'to'>): Standing {
  if (g.madeUp) return 'made up';
  if (g.kind === 'late') return 'in part';
  return g.to ? 'missed' : 'goes on';
}
