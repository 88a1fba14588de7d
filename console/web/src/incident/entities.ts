// Who and what an incident is about, and which other incidents have to do with the same.

import type { Entity, Incident, RelatedIncident } from '../gen/vedette/v1/incident_pb';
import { entitiesOf } from '../live/row';

export type About = Pick<Entity, 'kind' | 'value' | 'field'>;

export const kinds = ['host', 'user', 'address', 'hash', 'domain', 'process', 'url'] as const;
export const kindTitles: Record<string, string> = { host: 'Host', user: 'User', address: 'Address', hash: 'Hash', domain: 'Domain', process: 'Process', url: 'URL' };

export const keyOf = (e: About): string => `${e.kind}\n${e.value}`;

// aboutOf returns the entities of an incident by kind, each once.
export function aboutOf(incident: Incident): About[] {
  const seen = new Map<string, About>();
  for (const e of entitiesOf(incident)) if (!seen.has(keyOf(e))) seen.set(keyOf(e), e);
  const place = (e: About) => (kinds as readonly string[]).indexOf(e.kind) >>> 0; // what is unknown stands last
  return [...seen.values()].sort((a, b) => place(a) - place(b));
}

// othersOf returns the related incidents by entity.
export function othersOf(related: readonly RelatedIncident[]): ReadonlyMap<string, readonly RelatedIncident[]> {
  const out = new Map<string, RelatedIncident[]>();
  for (const r of related) {
    for (const e of new Map(r.shared.map((s) => [keyOf(s), s])).values()) {
      const list = out.get(keyOf(e)) ?? [];
      list.push(r);
      out.set(keyOf(e), list);
    }
  }
  return out;
}

// namedOf returns the hosts, users and addresses to stand beside the headline; when there are none, the first of the rest.
export function namedOf(about: readonly About[], most: number): readonly About[] {
  const named = about.filter((e) => e.kind === 'host' || e.kind === 'user' || e.kind === 'address');
  return (named.length > 0 ? named : about).slice(0, most);
}
