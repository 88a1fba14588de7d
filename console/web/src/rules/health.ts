// What keeps a rule from doing its work, in words.

import type { Rule, RuleNeed } from '../gen/vedette/v1/rule_pb';

export type Kind = 'suspended' | 'tests' | 'data' | 'list' | 'unmapped' | 'waiting' | 'untested';

export interface Trouble {
  readonly kind: Kind;
  // For a narrow column: "no DNS events".
  readonly short: string;
  // A sentence.
  readonly text: string;
}

// kinds are what can be wrong, the worst first, as facets name it.
export const kinds: readonly { readonly kind: Kind; readonly label: string }[] = [
  { kind: 'suspended', label: 'Suspended' },
  { kind: 'tests', label: 'Tests fail' },
  { kind: 'data', label: 'Would never fire here' },
  { kind: 'list', label: 'A list is missing' },
  { kind: 'unmapped', label: 'Unmapped fields' },
  { kind: 'waiting', label: 'Tests have not run yet' },
  { kind: 'untested', label: 'No tests' },
];

// What is worth knowing and no reason for the rule not to work.
const slight: ReadonlySet<Kind> = new Set(['waiting', 'untested']);
export const isSlight = (t: Trouble): boolean => slight.has(t.kind);

// lacking names what did not arrive: "no aws.cloudtrail", "no event.code 4662".
function lacking(needs: readonly Pick<RuleNeed, 'field' | 'values'>[]): string {
  const words = [...new Set(needs.map((n) => (stream.has(n.field) ? (n.values[0] ?? n.field) : [n.field, n.values[0]].filter(Boolean).join(' '))))];
  return words.length === 0 ? 'its data does not arrive' : `no ${words[0]}${words.length > 1 ? ` +${words.length - 1}` : ''}`;
}

const stream = new Set(['event.dataset', 'event.module']); // fields whose values say enough by themselves
const several = (one: string, many: string, all: readonly string[]): string => `${all.length === 1 ? one : many} ${all.join(', ')}`;
const deliberate = /^(switched off|its package is switched off)/;

// troublesOf returns what is wrong with a rule, the worst first. That somebody has switched it off is nothing wrong.
export function troublesOf(r: Pick<Rule, 'enabled' | 'off' | 'tests' | 'reach' | 'unmapped' | 'code'>): Trouble[] {
  const out: Trouble[] = [];
  const add = (kind: Kind, short: string, text: string) => out.push({ kind, short, text });
  if (!r.enabled && r.off && !deliberate.test(r.off)) add('suspended', r.off, `The host switched it off: ${r.off}.`);
  if (r.tests?.failure) add('tests', 'its tests fail', `Its tests fail: ${r.tests.failure}`);
  const missing = r.reach?.missing.map((m) => m.text) ?? [];
  if (r.reach?.never) add('data', lacking(r.reach.missing), `It would never fire here: ${missing.join('; ') || 'what it needs has not arrived within a day'}.`);
  const lists = r.reach?.lists ?? [];
  if (lists.length > 0) add('list', several('no list', 'no lists', lists), `It uses ${several('the list', 'the lists', lists)}, which ${lists.length === 1 ? 'does' : 'do'} not exist and so hold${lists.length === 1 ? 's' : ''} nothing.`);
  if (r.unmapped.length > 0) add('unmapped', several('unmapped:', 'unmapped:', r.unmapped), `Nothing maps ${several('the field', 'the fields', r.unmapped)} to a field of events: what tests ${r.unmapped.length === 1 ? 'it' : 'them'} holds for no event, unless events have ${r.unmapped.length === 1 ? 'that name' : 'those names'}.`);
  if (r.tests?.waiting) add('waiting', 'tests not run yet', 'This version of the host has not run its tests yet; it does so by itself.');
  if (r.tests?.count === 0 && !r.code) add('untested', 'no tests', 'It has no tests of its own.');
  return out;
}
