// The state of the page of one incident: what the host says, what the stream has brought since, and what is done to it.

import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { useQuery } from '@connectrpc/connect-query';
import { useEffect, useMemo, useState } from 'react';
import { type GetIncidentResponse, IncidentService, type RelatedIncident } from '../gen/vedette/v1/incident_pb';
import { useIncident, useLive } from '../live/live';
import { before, millis, type Row, rowOf } from '../live/row';
import { host } from '../triage/host';
import { type Step, Triage } from '../triage/triage';
import { failed, notice } from '../ui/notice';

const refreshAfter = 1_000; // ms: an incident that fires ten times a second is asked for once a second
const storedWithin = 10_000; // ms
const mostEvents = 100; // of a part, that the host sends along
const mostRelated = 200;
const noneRelated: RelatedIncident[] = [];

// Loaded is an incident as the host has told it, and its newest state.
export interface Loaded {
  readonly data: GetIncidentResponse;
  readonly row: Row;
}

export type IncidentPage = ReturnType<typeof useIncidentPage>;

// ViewProps is what each view of an incident gets.
export interface ViewProps {
  page: IncidentPage;
  loaded: Loaded;
  openEvent: (id: string) => void;
}

export function useIncidentPage(id: string) {
  const { incidents } = useLive();
  const { data, error, refetch } = useQuery(IncidentService.method.getIncident, { id }, { refetchInterval: (q) => beingStored(q.state.data) && refreshAfter });
  const related = useQuery(IncidentService.method.relatedIncidents, { id, limit: mostRelated });
  const live = useIncident(id);
  const row = useMemo(() => rowFor(live, data), [live, data]);
  const loaded = useMemo((): Loaded | undefined => (data && row ? { data, row } : undefined), [data, row]);

  useEffect(() => {
    if (data?.incident) incidents.put(data.incident);
  }, [incidents, data]);
  useRefresh(data?.incident?.updatedAt, live?.incident.updatedAt, refetch);

  const [triage] = useState(() => new Triage(incidents, host));
  const undo = (which = triage.last()) => {
    if (!which) return void notice('There is nothing to undo on this page.');
    triage.undo(which).then(() => refetch()).catch((e: unknown) => failed(`Undo: ${which.label}`, e)); // prettier-ignore
  };
  const act = (label: string, done: string, rows: readonly Row[], steps: readonly Step[]) => {
    if (rows.length === 0 || steps.length === 0) return;
    const before = triage.last();
    const work = triage.act(label, rows.map((r) => r.id), steps); // prettier-ignore
    const mine = triage.last();
    notice(done, mine && mine !== before ? () => undo(mine) : undefined);
    work.then(() => refetch()).catch((e: unknown) => failed(label, e)); // prettier-ignore
  };
  return { id, row, loaded, error: data ? null : error, refetch, related: related.data?.incidents ?? noneRelated, relatedError: related.error, act, undo };
}

// beingStored says that events of the evidence are missing because they have only just come: the store shows them about a
// second later.
export function beingStored(data: GetIncidentResponse | undefined, now = Date.now()): boolean {
  const missing = data?.explanation?.parts.some((p) => p.events.length < Math.min(p.total, mostEvents));
  return missing === true && now - millis(data?.incident?.updatedAt) < storedWithin;
}

// rowFor is the newer of what the stream and the host have told. The stream leaves evidence and conditions out.
function rowFor(live: Row | undefined, data: GetIncidentResponse | undefined): Row | undefined {
  if (!data?.incident) return live;
  const told = rowOf(data.incident);
  if (!live || live.updated < told.updated) return told;
  const { evidence, conditions } = data.incident;
  return { ...live, incident: { ...live.incident, evidence, conditions } };
}

// useRefresh asks the host again, at most once in a while, when the stream has brought a newer state than it had told.
function useRefresh(told: Timestamp | undefined, live: Timestamp | undefined, refetch: () => unknown): void {
  const stale = told !== undefined && before(told, live);
  useEffect(() => {
    if (!stale) return;
    const timer = setTimeout(refetch, refreshAfter);
    return () => clearTimeout(timer);
  }, [stale, told, refetch]);
}
