// Incidents and frames for tests.

import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { type Incident, IncidentSchema } from '../gen/vedette/v1/incident_pb';
import { type Changes, ChangesSchema } from '../gen/vedette/v1/live_pb';

export function incident(id: string, more: Partial<Omit<Incident, '$typeName'>> & { opened?: number; updated?: number } = {}): Incident {
  const { opened = 1_000, updated = opened, ...fields } = more;
  return create(IncidentSchema, {
    id, tenant: 1, rule: 'ssh-brute-force', title: `incident ${id}`, severity: 'high', state: 'open', count: 1n,
    openedAt: timestampFromMs(opened), updatedAt: timestampFromMs(updated), ...fields,
  });
}

export const changes = (more: Partial<Omit<Changes, '$typeName'>>): Changes => create(ChangesSchema, { tenant: 1, ...more });
