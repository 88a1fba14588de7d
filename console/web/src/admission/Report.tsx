// What a comparison found: a sentence, counts, and every difference with what is and what would be.

import { SegmentedControl } from '@mantine/core';
import { IconAlertTriangle, IconEqual } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { memo, useMemo, useState } from 'react';
import { useOrganization } from '../app/organization';
import { EventFlyout } from '../event';
import type { BacktestExample, BacktestIncident, BacktestReport } from '../gen/vedette/v1/backtest_pb';
import { millis } from '../live/row';
import { clock, count, plural } from '../ui/age';
import { Badge, OrganizationName } from '../ui/Badge';
import { Severity } from '../ui/Severity';
import { EmptyState } from '../ui/States';
import { visible } from '../ui/text';
import css from './admission.module.css';
import { changed, changeOf, changes, fateOf, incidentsOf, select, type Span, verdict } from './backtest';

const most = 50; // records that are drawn at once
const fieldsShown = 8; // of a record

// Opened is an event in the drawer, with its neighbours.
interface Opened {
  readonly id: string;
  readonly ids: readonly string[];
}

export function Report({ report: r, span }: { report: BacktestReport; span: Span }) {
  const [opened, open] = useState<Opened>();
  const [field, setField] = useState('');
  const same = r.changed === 0 && incidentsOf(r) === 0;
  return (
    <div className={css.report}>
      <p className={css.verdict} role="status">
        {verdict(r, span)}
      </p>
      <Notes report={r} />
      {same ? (
        r.records > 0 && <EmptyState icon={<IconEqual size={28} stroke={1.4} aria-hidden="true" />} title="No difference" />
      ) : (
        <div className={css.wide}>
          <div className={css.found} data-incidents={r.changed === 0 || undefined}>
            <div className={css.side}>
              <Incidents report={r} open={open} />
              <Fields report={r} field={field} choose={(f) => setField(f === field ? '' : f)} />
            </div>
            {r.changed > 0 && <Records report={r} field={field} open={open} />}
          </div>
        </div>
      )}
      {opened && <EventFlyout eventId={opened.id} ids={opened.ids} onChange={(id) => open({ ...opened, id })} onClose={() => open(undefined)} />}
    </div>
  );
}

function Notes({ report: r }: { report: BacktestReport }) {
  const notes = [
    r.failed > 0 && { bad: true, text: `${plural(r.failed, 'record')} would fail in a parser and go to quarantine.` },
    r.ended !== '' && { bad: true, text: `It ended early: ${visible(r.ended)}.` },
    r.truncated && { bad: false, text: `There are more records in that time: these are the newest, from ${clock(millis(r.from))}.` },
    r.liveRecords > 0 && { bad: false, text: `${plural(r.liveRecords, 'of them came', 'of them came')} while it ran beside the stream.` },
    r.liveDropped > 0n && { bad: true, text: `${plural(Number(r.liveDropped), 'event')} of the stream left out: the candidate was slower than the stream.` },
  ].filter((n) => n !== false);
  if (notes.length === 0) return null;
  return (
    <ul className={css.notes}>
      {notes.map((n) => (
        <li key={n.text} data-bad={n.bad || undefined}>
          {n.bad && <IconAlertTriangle size={13} aria-hidden="true" />} {n.text}
        </li>
      ))}
    </ul>
  );
}

function Incidents({ report: r, open }: { report: BacktestReport; open: (o: Opened) => void }) {
  const { all } = useOrganization();
  const n = incidentsOf(r);
  const parts = [r.incidentsAppear > 0 && `${count(r.incidentsAppear)} more`, r.incidentsDisappear > 0 && `${count(r.incidentsDisappear)} fewer`, r.incidentsRecounted > 0 && `${count(r.incidentsRecounted)} counted otherwise`].filter(Boolean);
  return (
    <section aria-label="Incidents">
      <h3>
        Incidents <span className="number">{count(n)}</span> {parts.length > 0 && <small>{parts.join(', ')}</small>}
      </h3>
      {n === 0 && <p className="dim">All incidents would be the same.</p>}
      <ul className={css.incidents}>
        {r.incidents.map((i, at) => (
          <IncidentLine key={at} incident={i} whose={all.length > 1} open={open} />
        ))}
      </ul>
      {r.incidents.length < n && <p className="dim">The first {count(r.incidents.length)} are shown.</p>}
    </section>
  );
}

function IncidentLine({ incident: i, whose, open }: { incident: BacktestIncident; whose: boolean; open: (o: Opened) => void }) {
  const title = visible(i.title);
  const fate = fateOf(i);
  const tone = i.is === 0n ? 'warn' : i.would === 0n ? 'bad' : 'accent';
  return (
    <li>
      <button type="button" disabled={i.evidence.length === 0} title={i.evidence.length > 0 ? 'Show its events' : 'Its events are not kept'} onClick={() => open({ id: i.evidence[0]!, ids: i.evidence })}>
        <Severity value={i.severity} />
        <strong>{title}</strong>
        <Badge tone={tone}>{fate}</Badge>
        <small>
          {whose && <OrganizationName id={i.tenant} />} <span className="mono">{visible(i.rule)}</span>
        </small>
      </button>
      {i.is > 0n && (
        <Link to="/queue" search={{ q: i.title, state: 'any' } as never} target="_blank" aria-label={`Find “${title}” in the queue, in a new tab`}>
          queue
        </Link>
      )}
    </li>
  );
}

function Fields({ report: r, field, choose }: { report: BacktestReport; field: string; choose: (field: string) => void }) {
  if (r.fields.length === 0) return null;
  return (
    <section aria-label="Fields">
      <h3>
        Fields <span className="number">{count(r.fields.length)}</span> <small>in how many records</small>
      </h3>
      <table className={css.fields}>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col" data-end="">Added</th>
            <th scope="col" data-end="">Gone</th>
            <th scope="col" data-end="">Rewritten</th>
          </tr>
        </thead>
        <tbody>
          {r.fields.map((f) => (
            <tr key={f.name} data-chosen={f.name === field || undefined}>
              <td>
                <button type="button" className="mono" aria-pressed={f.name === field} onClick={() => choose(f.name)}>
                  {visible(f.name)}
                </button>
              </td>
              <Count n={f.added} tone="added" />
              <Count n={f.gone} tone="gone" />
              <Count n={f.rewritten} tone="rewritten" />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  ); // prettier-ignore
}

const Count = ({ n, tone }: { n: number; tone: string }) => (
  <td data-end="" data-tone={n > 0 ? tone : undefined}>
    {n > 0 ? count(n) : <span className="dim">–</span>}
  </td>
);

function Records({ report: r, field, open }: { report: BacktestReport; field: string; open: (o: Opened) => void }) {
  const [kind, setKind] = useState('');
  const [all, setAll] = useState(false);
  const shown = useMemo(() => select(r.examples, kind, field), [r, kind, field]);
  const ids = useMemo(() => shown.map((e) => e.id), [shown]);
  const counts = changed(r);
  return (
    <section className={css.records} aria-label="Records">
      <header>
        <h3>
          Records <span className="number">{count(r.changed)}</span>
        </h3>
        <SegmentedControl
          aria-label="Which records"
          value={kind}
          onChange={setKind}
          data={[{ value: '', label: 'All' }, ...changes.filter((c) => counts[c.value] > 0).map((c) => ({ value: c.value, label: `${c.label} ${count(counts[c.value])}` }))]}
        />
        {field && <span className="dim">with another <span className="mono">{visible(field)}</span></span>}
      </header>
      {shown.length === 0 && <p className="dim">None of the records that are kept as examples.</p>}
      <ol>
        {(all ? shown : shown.slice(0, most)).map((e) => (
          <Record key={e.id} example={e} ids={ids} open={open} field={field} />
        ))}
      </ol>
      {!all && shown.length > most && (
        <button type="button" className={css.more} onClick={() => setAll(true)}>
          Show all {count(shown.length)}
        </button>
      )}
      {r.examples.length < r.changed && <p className="dim">{count(r.examples.length)} of {plural(r.changed, 'record')} are kept as examples.</p>}
    </section>
  ); // prettier-ignore
}

interface RecordProps {
  example: BacktestExample;
  ids: readonly string[];
  open: (o: Opened) => void;
  // That is wanted, and so stands first.
  field: string;
}

const words = { new: 'newly read', lost: 'no longer read', rewritten: 'rewritten' } as const;
const tones = { new: 'ok', lost: 'bad', rewritten: 'accent' } as const;

const Record = memo(function Record({ example: e, ids, open, field }: RecordProps) {
  const kind = changeOf(e);
  const fields = e.fields.toSorted((a, b) => Number(b.name === field) - Number(a.name === field));
  const rest = fields.length - fieldsShown;
  return (
    <li data-change={kind}>
      <button type="button" title="Show the event as it is stored" onClick={() => open({ id: e.id, ids })}>
        <span className={css.by}>
          <Badge tone={tones[kind]}>{words[kind]}</Badge>
          <span className="dim">
            {visible(e.parser) || 'nobody'}
            {e.wouldParser !== e.parser && ` → ${visible(e.wouldParser) || 'nobody'}`}
            {e.events !== e.wouldEvents && ` · ${plural(e.events, 'event')} → ${count(e.wouldEvents)}`}
          </span>
        </span>
        <span className={css.raw}>{visible(e.raw)}</span>
      </button>
      {fields.length > 0 && (
        <table className={css.diff} aria-label="Fields before and after">
          <tbody>
            {fields.slice(0, fieldsShown).map((f) => (
              <tr key={f.name}>
                <th scope="row">{visible(f.name)}</th>
                <td data-side="is">{f.is ? visible(f.is) : <span className="dim">none</span>}</td>
                <td data-side="would">{f.would ? visible(f.would) : <span className="dim">none</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {rest > 0 && <p className="dim">and {plural(rest, 'more field')}</p>}
    </li>
  );
});
