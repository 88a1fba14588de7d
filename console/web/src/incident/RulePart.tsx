// One part of a rule: what it looks for, what was measured, and the events that satisfied it.

import { useState } from 'react';
import { hostOf, messageOf, sourceOf, userOf } from '../event';
import type { Event } from '../gen/vedette/v1/event_pb';
import type { Part } from '../gen/vedette/v1/incident_pb';
import { millis } from '../live/row';
import { clock, count, plural } from '../ui/age';
import { visible } from '../ui/text';
import { type Measure, measureOf } from './condition';
import css from './incident.module.css';

interface Props {
  part: Part;
  // Its number among several; 0 when it is the only one.
  place: number;
  titles: ReadonlyMap<string, string>;
  // Its events have only just come and will be there in a moment.
  waiting: boolean;
  openEvent: (id: string) => void;
}

const few = 4;

export function RulePart({ part, place, titles, waiting, openEvent }: Props) {
  const [all, setAll] = useState(false);
  const measures = part.conditions.map((c) => measureOf(c, titles));
  const title = part.title || part.sub;
  return (
    <li className={css.part}>
      <h3>
        {place > 0 && <span className={css.place}>{place}</span>}
        <span>{visible(title[0]!.toUpperCase() + title.slice(1))}</span>
      </h3>
      {measures.map((m, i) => (
        <MeasureLine key={i} measure={m} />
      ))}
      {measures.length === 0 && part.total > 0 && <p className={css.enough}>{plural(part.total, 'event')}; one is enough.</p>}
      {part.events.length > 0 && <EventTable events={all ? part.events : part.events.slice(0, few)} openEvent={openEvent} label={`Events: ${title}`} />}
      {part.events.length > few && (
        <button type="button" className={css.more} onClick={() => setAll(!all)}>
          {all ? 'Show the first ones only' : `Show all ${count(part.events.length)} events`}
        </button>
      )}
      {part.events.length < part.total && (
        <p className="dim">
          {part.events.length > 0
            ? `${count(part.total)} events in all.`
            : waiting
              ? `Its ${plural(part.total, 'event')} ${part.total === 1 ? 'has' : 'have'} just come and will be shown in a moment.`
              : `Its ${plural(part.total, 'event')} cannot be shown: no longer stored, or not for your role.`}
        </p>
      )}
      {part.total === 0 && part.conditions.length === 0 && <p className="dim">No event belongs to this part.</p>}
    </li>
  );
}

function MeasureLine({ measure: m }: { measure: Measure }) {
  return (
    <div className={css.measure}>
      <span className={css.number}>
        <strong>{m.actual}</strong>
        {m.sign && <span> {m.sign} </span>}
        {m.threshold}
      </span>
      {m.bar && (
        <span className={css.meter} aria-hidden="true">
          <i style={{ width: `${100 * m.bar.actual}%` }} />
          <b style={{ left: `${100 * m.bar.threshold}%` }} />
        </span>
      )}
      <span className={css.what}>{m.what}</span>
    </div>
  );
}

const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

const optional: [string, (e: Event) => string][] = [['Host', hostOf], ['User', userOf], ['Source', sourceOf]];

// EventTable shows when, where, who and what; a column that would be empty is left out.
export function EventTable({ events, openEvent, label }: { events: readonly Event[]; openEvent: (id: string) => void; label: string }) {
  const shown = optional.filter(([, of]) => events.some((e) => of(e)));
  return (
    <table className={css.events} aria-label={visible(label)}>
      <thead>
        <tr>
          <th>Time</th>
          {shown.map(([name]) => (
            <th key={name}>{name}</th>
          ))}
          <th className={css.message}>Message</th>
        </tr>
      </thead>
      <tbody>
        {events.map((e) => {
          const at = millis(e.time);
          return (
            <tr key={e.id} onClick={() => openEvent(e.id)}>
              <td>
                <button type="button" title={clock(at)} aria-label={`Open the event of ${clock(at)}`}>
                  {time.format(at)}
                </button>
              </td>
              {shown.map(([name, of]) => (
                <td key={name} title={visible(of(e))}>
                  {visible(of(e)) || '–'}
                </td>
              ))}
              <td className={css.message} title={visible(messageOf(e).slice(0, 400))}>
                {visible(messageOf(e).slice(0, 300))}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
