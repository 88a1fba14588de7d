// What the page knows of incidents, and how a frame changes it. Pure: the same frames always give the same table.

import type { Changes, Incident } from './wire';

export interface Known {
  readonly incidents: ReadonlyMap<string, Incident>;
  // Per organization the cursor to resume from; an organization whose snapshot is not through has none.
  readonly cursors: Readonly<Record<string, string>>;
  readonly missed: number;
}

export const nothing: Known = { incidents: new Map(), cursors: {}, missed: 0 };

export function apply(known: Known, changes: Changes): Known {
  const incidents = new Map(known.incidents);
  const cursors = { ...known.cursors };
  const tenant = String(changes.tenant);
  if (changes.snapshot) {
    for (const [id, incident] of incidents) {
      if (incident.tenant === changes.tenant) incidents.delete(id);
    }
    delete cursors[tenant];
  }
  for (const incident of changes.incidents ?? []) incidents.set(incident.id, incident);
  if (!changes.more) cursors[tenant] = changes.cursor ?? '0';
  return { incidents, cursors, missed: known.missed + Number(changes.missed ?? 0) };
}

// seen forgets what was missed, once a person has read it.
export function seen(known: Known): Known {
  return known.missed === 0 ? known : { ...known, missed: 0 };
}

const changedAt = (i: Incident) => Date.parse(i.updatedAt ?? i.lastSeen ?? '') || 0;

// newestFirst returns at most limit incidents, the last changed first; equal ones in the order of their ids, so that
// rows do not jump.
export function newestFirst(known: Known, limit: number, wanted: (i: Incident) => boolean): Incident[] {
  const list = [...known.incidents.values()].filter(wanted);
  const at = new Map(list.map((i) => [i.id, changedAt(i)]));
  list.sort((a, b) => at.get(b.id)! - at.get(a.id)! || (a.id < b.id ? -1 : 1));
  return list.slice(0, limit);
}
