// An incident as the console works with it: what is sorted, counted and searched stands ready in it.

import type { Timestamp } from '@bufbuild/protobuf/wkt';
import type { Entity, Incident } from '../gen/vedette/v1/incident_pb';

export const severities = ['critical', 'high', 'medium', 'low', 'informational'] as const;
export type Severity = (typeof severities)[number];
export type State = 'open' | 'acknowledged' | 'resolved';

export interface Row {
  readonly id: string;
  readonly tenant: number;
  readonly incident: Incident;
  readonly title: string;
  readonly severity: Severity;
  // 4 is critical, 0 informational.
  readonly rank: number;
  readonly state: State;
  readonly count: number;
  // Milliseconds since 1970; 0 when unknown.
  readonly opened: number;
  readonly updated: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly hosts: readonly string[];
  readonly users: readonly string[];
  readonly addresses: readonly string[];
  // Everything that a text filter looks at, in lower case.
  readonly text: string;
}

export const millis = (t: Timestamp | undefined): number => (t ? Number(t.seconds) * 1000 + Math.floor(t.nanos / 1e6) : 0);

// before orders moments to the nanosecond: what two people do at once is often less than a millisecond apart.
export function before(a: Timestamp | undefined, b: Timestamp | undefined): boolean {
  const [x, y] = [a?.seconds ?? 0n, b?.seconds ?? 0n];
  return x < y || (x === y && (a?.nanos ?? 0) < (b?.nanos ?? 0));
}

const kinds: [RegExp, string][] = [
  [/^(host|observer)\.(name|hostname)$|^agent\.name$/, 'host'],
  [/^user\.(name|target\.name|effective\.name)$/, 'user'],
  [/\.(ip|address)$/, 'address'],
];

// entitiesOf returns who and what an incident is about: as the host says, or from the key alone.
export function entitiesOf(incident: Incident): Pick<Entity, 'kind' | 'value' | 'field'>[] {
  if (incident.entities.length > 0) return incident.entities;
  return Object.entries(incident.key).flatMap(([field, value]) => {
    const kind = kinds.find(([pattern]) => pattern.test(field))?.[1];
    return kind && value ? [{ kind, value, field }] : [];
  });
}

export function rowOf(incident: Incident): Row {
  const entities = entitiesOf(incident);
  const of = (kind: string) => [...new Set(entities.filter((e) => e.kind === kind).map((e) => e.value))];
  const severity = (severities as readonly string[]).includes(incident.severity) ? (incident.severity as Severity) : 'informational';
  const title = incident.title || incident.ruleName || incident.rule;
  return {
    id: incident.id,
    tenant: incident.tenant,
    incident,
    title,
    severity,
    rank: severities.length - 1 - severities.indexOf(severity),
    state: incident.state as State,
    count: Number(incident.count),
    opened: millis(incident.openedAt),
    updated: millis(incident.updatedAt),
    firstSeen: millis(incident.firstSeen),
    lastSeen: millis(incident.lastSeen),
    hosts: of('host'),
    users: of('user'),
    addresses: of('address'),
    text: [title, incident.rule, incident.ruleName, incident.assignee, ...Object.values(incident.key), ...entities.map((e) => e.value)].join('\n').toLowerCase(),
  };
}
