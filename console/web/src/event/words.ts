// What an event says of itself in a line: where, who, from where, and what happened.

import type { Event } from '../gen/vedette/v1/event_pb';

type Read = Pick<Event, 'fields' | 'raw'>;

export const hostOf = ({ fields: f }: Read): string => f['host.name'] || f['host.hostname'] || f['observer.name'] || '';
export const userOf = ({ fields: f }: Read): string => f['user.name'] || f['user.target.name'] || '';
export const sourceOf = ({ fields: f }: Read): string => f['source.ip'] || f['source.address'] || '';

// messageOf is the event's own message; without one, what was done to what; without that the record.
export function messageOf({ fields: f, raw }: Read): string {
  if (f['message']) return f['message'];
  const to = f['destination.ip'] || f['destination.domain'];
  const port = f['destination.port'] && `:${f['destination.port']}`;
  const done = [
    f['event.action'],
    f['process.command_line'] || f['url.original'] || f['file.path'],
    f['http.response.status_code'],
    f['rule.name'],
    to && `to ${to}${port ?? ''}`,
  ].filter(Boolean);
  return done.length > 0 ? done.join(' · ') : raw;
}
