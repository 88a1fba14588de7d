// Running a document over events: what is asked, and what of the answer is shown.

import type { RunRuleResponse, RunVerdict } from '../gen/vedette/v1/rule_pb';
import { count, plural } from '../ui/age';

export const periods = [
  { value: '900', label: 'Last 15 min' },
  { value: '3600', label: 'Last hour' },
  { value: '86400', label: 'Last day' },
  { value: '604800', label: 'Last week' },
] as const;

export const mostStored = 10_000;

// summaryOf says in a sentence what came of it.
export function summaryOf(r: Pick<RunRuleResponse, 'events' | 'matched' | 'incidents' | 'truncated'>): string {
  if (r.events === 0) return 'There is no event to run it over.';
  const of = `${r.truncated ? 'the newest ' : ''}${plural(r.events, 'event')}`;
  const matched = r.matched === 0 ? `None of ${of} takes part` : r.matched < r.events ? `${count(r.matched)} of ${of} ${r.matched === 1 ? 'takes' : 'take'} part` : r.events === 1 ? 'The event takes part' : `All ${of} take part`;
  return `${matched}; ${r.incidents.length === 0 ? 'no incident' : plural(r.incidents.length, 'incident')} would be raised.`;
}

export type Kind = 'all' | 'match' | 'other';

export const select = (verdicts: readonly RunVerdict[], kind: Kind): RunVerdict[] => verdicts.filter((v) => kind === 'all' || (kind === 'match') === (v.verdict?.matches ?? false));

// reasonOf is why an event takes no part, in one line: what failed in the part that came furthest.
export function reasonOf(v: RunVerdict): string {
  const { verdict } = v;
  if (!verdict) return '';
  if (verdict.matches) return verdict.subs.filter((s) => s.matches).map((s) => s.title || s.sub).join(', '); // prettier-ignore
  return verdict.subs.flatMap((s) => s.tests.slice(0, 1)).map((t) => t.text)[0] ?? verdict.notes[0] ?? ''; // prettier-ignore
}
