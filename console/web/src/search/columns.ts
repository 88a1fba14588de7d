// Which columns a table of events has. The choice is in the address as a list of names; none means the usual ones.

import { hostOf, messageOf, sourceOf, userOf } from '../event';
import type { Event } from '../gen/vedette/v1/event_pb';

export interface Derived {
  title: string;
  what: string;
  width: string;
  of: (e: Pick<Event, 'fields' | 'raw'>) => string;
}

// Columns that take the first of several fields that an event has, since parsers fill different ones.
export const derived: Readonly<Record<string, Derived>> = {
  host: { title: 'Host', what: 'host.name, host.hostname or observer.name', width: 'minmax(90px, 0.7fr)', of: hostOf },
  user: { title: 'User', what: 'user.name or user.target.name', width: 'minmax(70px, 0.5fr)', of: userOf },
  source: { title: 'Source', what: 'source.ip or source.address', width: 'minmax(90px, 0.55fr)', of: sourceOf },
  summary: { title: 'Event', what: 'The message; without one what was done to what; without that the record', width: 'minmax(200px, 3fr)', of: messageOf },
};

export const usual: readonly string[] = ['event.dataset', 'host', 'user', 'source', 'summary'];
export const maxColumns = 24;

// columnsOf reads the address: no name twice, and not more than can be looked at.
export const columnsOf = (cols: readonly string[]): readonly string[] => {
  const names = [...new Set(cols.filter(Boolean))].slice(0, maxColumns);
  return names.length > 0 ? names : usual;
};

// toParam leaves the usual columns out of the address.
export const toParam = (cols: readonly string[]): string[] => (cols.length === usual.length && cols.every((c, i) => c === usual[i]) ? [] : [...cols]);

const own = <T>(of: Readonly<Record<string, T>>, name: string): T | undefined => (Object.hasOwn(of, name) ? of[name] : undefined);

export const titleOf = (column: string): string => own(derived, column)?.title ?? column;
export const widthOf = (column: string): string => own(derived, column)?.width ?? 'minmax(90px, 1fr)';
export const valueOf = (column: string, e: Pick<Event, 'fields' | 'raw'>): string => own(derived, column)?.of(e) ?? own(e.fields, column) ?? '';

// place moves a column to another place.
export function place(cols: readonly string[], column: string, to: number): string[] {
  const rest = cols.filter((c) => c !== column);
  rest.splice(Math.max(0, Math.min(rest.length, to)), 0, column);
  return rest;
}

// switchColumn shows or hides a column; the last one stays.
export function switchColumn(cols: readonly string[], column: string): string[] {
  if (!cols.includes(column)) return [...cols, column].slice(0, maxColumns);
  const rest = cols.filter((c) => c !== column);
  return rest.length > 0 ? rest : [...cols];
}
