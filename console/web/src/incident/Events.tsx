// The events of the evidence: a list, and the chosen one with its record and its fields side by side.

import { useMemo } from 'react';
import { useHotkeys } from '../app/keys';
import { useParams } from '../app/params';
import { EventView, hostOf, messageOf, sourceOf, userOf } from '../event';
import type { Event } from '../gen/vedette/v1/event_pb';
import { millis } from '../live/row';
import { clock } from '../ui/age';
import { EmptyState } from '../ui/States';
import { visible } from '../ui/text';
import { type Column, VirtualTable } from '../ui/VirtualTable';
import css from './incident.module.css';
import type { ViewProps } from './useIncidentPage';

interface Line {
  readonly id: string;
  readonly at: number;
  readonly part: string;
  // undefined when it is not stored any more, or is not among those that the host sends along.
  readonly event: Event | undefined;
}

const of = (get: (e: Event) => string) => (l: Line) => {
  const text = l.event ? visible(get(l.event).slice(0, 300)) : '';
  return <span title={text}>{text || '–'}</span>;
};

const columns: Column<Line>[] = [
  { id: 'time', header: 'Time', width: '190px', cell: (l) => clock(l.at) },
  { id: 'part', header: 'Part of the rule', width: 'minmax(120px, 1fr)', cell: (l) => <span title={l.part}>{l.part}</span> },
  { id: 'host', header: 'Host', width: '120px', cell: of(hostOf) },
  { id: 'user', header: 'User', width: '90px', cell: of(userOf) },
  { id: 'source', header: 'Source', width: '120px', cell: of(sourceOf) },
  { id: 'message', header: 'Message', width: 'minmax(200px, 2fr)', cell: of(messageOf) },
];

const lineHeight = 28;
const headHeight = 34;
const eventParams = { event: '' };

export function Events({ loaded: { data, row } }: ViewProps) {
  const [{ event: chosen }, set] = useParams(eventParams);
  const lines = useMemo(() => {
    const parts = data.explanation?.parts ?? [];
    const events = new Map(parts.flatMap((p) => p.events.map((e) => [e.id, e])));
    const titles = new Map(parts.map((p) => [p.sub, visible(p.title || p.sub)]));
    return row.incident.evidence
      .map((e): Line => ({ id: e.eventId, at: millis(e.time), part: titles.get(e.sub) ?? visible(e.sub), event: events.get(e.eventId) }))
      .sort((a, b) => a.at - b.at);
  }, [data.explanation, row.incident.evidence]);
  const at = Math.max(0, lines.findIndex((l) => l.id === chosen));
  const line = lines[at];
  const step = (by: number) => {
    const next = lines[at + by];
    if (next) set({ event: next.id });
  };
  useHotkeys('Events of the incident', [
    { keys: 'j', label: 'Next event', run: () => step(1) },
    { keys: 'k', label: 'Event before', run: () => step(-1) },
  ]);
  if (!line) return <EmptyState title="No events">This incident was raised by what did not come: the rule waited, and nothing arrived.</EmptyState>;
  return (
    <div className={css.eventsView}>
      <div className={css.eventsList} style={{ height: `min(34%, ${headHeight + lines.length * lineHeight}px)` }}>
        <VirtualTable label="Events of the evidence" rows={lines} keyOf={lineKey} columns={columns} active={line.id} onActive={(id) => set({ event: id })} rowHeight={lineHeight} />
      </div>
      <div className={css.eventsOne}>
        <h2 className="unseen">Chosen event</h2>
        <EventView key={line.id} eventId={line.id} event={line.event} rule={row.incident.rule} wide />
      </div>
    </div>
  );
}

const lineKey = (l: Line): string => l.id;
