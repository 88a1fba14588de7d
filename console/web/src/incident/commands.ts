// What can be done to one incident, with the same keys, dialogs and undo as in the queue.

import type { Row } from '../live/row';
import type { Command } from '../triage/CommandButton';
import { saveCase } from '../triage/cases';
import type { Asking } from '../triage/Dialogs';
import type { IncidentPage } from './useIncidentPage';

interface Asked {
  // Why modules cannot be changed; empty when they can.
  whyNoCase: string;
  // The same for what all organizations share.
  whyNoShared: string;
  ask: (a: Asking) => void;
  merge: () => void;
  except: () => void;
}

// commandsOf returns the commands; those that come first are the ones that are used most.
export function commandsOf(row: Row, { act }: Pick<IncidentPage, 'act'>, user: string, { whyNoCase, whyNoShared, ask, merge, except }: Asked): Command[] {
  const rows = [row];
  const resolved = row.state === 'resolved';
  const wrong = row.incident.verdict === 'false_positive';
  const mine = row.incident.assignee === user;
  return [
    { keys: 'a', label: 'Acknowledge', whyNot: row.state === 'open' ? '' : resolved ? 'Resolved already.' : 'Acknowledged already.', run: () => act('Acknowledge', 'Acknowledged', rows, [{ action: 'acknowledge', argument: '' }]) },
    { keys: 'e', label: 'Escalate', whyNot: resolved ? 'Resolved: reopen it first.' : '', run: () => ask({ kind: 'escalate', rows }) },
    { keys: 'c', label: 'Close', whyNot: resolved ? 'Resolved already.' : '', run: () => ask({ kind: 'close', rows }) },
    {
      keys: 'f', label: wrong ? 'Keep as a case of the rule' : 'False positive',
      whyNot: resolved ? (wrong ? whyNoCase : 'Resolved with another verdict.') : '',
      run: () => (wrong ? void saveCase(row.id, false) : ask({ kind: 'false', rows })),
    },
    { keys: 'shift+f', label: 'Keep as a case for all organizations', whyNot: wrong ? whyNoShared : 'Close it as a false positive first.', run: () => void saveCase(row.id, true) },
    { keys: 'n', label: 'Note', whyNot: '', run: () => ask({ kind: 'note', rows }) },
    { keys: 'x', label: 'Except this…', whyNot: whyNoCase, run: except },
    { keys: 's', label: 'Severity', whyNot: '', run: () => ask({ kind: 'set', rows }) },
    { keys: 'i', label: 'Take', whyNot: mine ? 'It is yours already.' : '', run: () => act('Assign to me', `Assigned to ${user}`, rows, [{ action: 'assign', argument: user }]) },
    { keys: 'm', label: 'Merge into another', whyNot: resolved ? 'Resolved: reopen it first.' : '', run: merge },
    { keys: 'r', label: 'Reopen', whyNot: row.state === 'open' ? 'Open already.' : '', run: () => act('Reopen', 'Reopened', rows, [{ action: 'reopen', argument: '' }]) },
  ]; // prettier-ignore
}
