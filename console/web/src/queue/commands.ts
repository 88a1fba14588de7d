// What can be done to incidents of the queue.

import type { Row } from '../live/row';
import type { Command } from '../triage/CommandButton';
import type { Asking } from '../triage/Dialogs';
import type { Queue } from './useQueue';

// commandsOf returns the commands for the selected incidents, or for the one under the cursor.
export function commandsOf(queue: Queue, user: string, ask: (a: Asking) => void): Command[] {
  const rows = queue.targets;
  const none = rows.length === 0 ? 'No incident is selected.' : '';
  const unless = (possible: readonly Row[], why: string) => none || (possible.length === 0 ? why : '');
  const open = rows.filter((r) => r.state === 'open');
  const unresolved = rows.filter((r) => r.state !== 'resolved');
  const touched = rows.filter((r) => r.state !== 'open');
  const others = rows.filter((r) => r.incident.assignee !== user);
  const merge = rows.length < 2 ? 'Select two or more incidents to merge.' : new Set(rows.map((r) => r.tenant)).size > 1 ? 'Incidents of different organizations cannot be merged.' : '';
  return [
    { keys: 'a', label: 'Acknowledge', whyNot: unless(open, 'Acknowledged already.'), run: () => queue.act('Acknowledge', 'Acknowledged', open, [{ action: 'acknowledge', argument: '' }]) },
    { keys: 'e', label: 'Escalate', whyNot: unless(unresolved, 'Resolved: reopen it first.'), run: () => ask({ kind: 'escalate', rows: unresolved }) },
    { keys: 'c', label: 'Close', whyNot: unless(unresolved, 'Resolved already.'), run: () => ask({ kind: 'close', rows: unresolved }) },
    { keys: 'n', label: 'Note', whyNot: none, run: () => ask({ kind: 'note', rows }) },
    { keys: 's', label: 'Severity', whyNot: none, run: () => ask({ kind: 'set', rows }) },
    { keys: 'i', label: 'Take', whyNot: unless(others, 'It is yours already.'), run: () => queue.act('Assign to me', `Assigned to ${user}`, others, [{ action: 'assign', argument: user }]) },
    { keys: 'm', label: 'Merge', whyNot: none || merge, run: () => ask({ kind: 'merge', rows: unresolved }) },
    { keys: 'r', label: 'Reopen', whyNot: unless(touched, 'Open already.'), run: () => queue.act('Reopen', 'Reopened', touched, [{ action: 'reopen', argument: '' }]) },
  ];
}
