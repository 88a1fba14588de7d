// Evidence, notes and actions by time, each in a lane of its own.

import { Button, Textarea, Tooltip } from '@mantine/core';
import { type KeyboardEvent, useMemo, useState } from 'react';
import { useSession } from '../app/session';
import { clock, count, duration, plural } from '../ui/age';
import { Keys } from '../ui/Keys';
import { RawText } from '../ui/RawText';
import { visible } from '../ui/text';
import css from './incident.module.css';
import { IncidentLink } from './IncidentLink';
import { deed, type Entry, timelineOf } from './timeline';
import type { IncidentPage, ViewProps } from './useIncidentPage';

export function Timeline({ page, loaded: { data, row }, openEvent }: ViewProps) {
  const entries = useMemo(() => timelineOf(row.incident.evidence, data.history), [row.incident.evidence, data.history]);
  const titles = new Map(data.explanation?.parts.map((p) => [p.sub, p.title]));
  return (
    <div className={css.timeline}>
      <AddNote page={page} />
      <div className={css.lanes} aria-hidden="true">
        <span>Time</span>
        <span>Evidence</span>
        <span>Notes</span>
        <span>Actions</span>
      </div>
      <ol>
        {entries.map((e) => (
          <li key={e.key} data-lane={e.lane}>
            <time dateTime={new Date(e.from).toISOString()}>{clock(e.from)}</time>
            <div className={css.entry}>
              {e.lane === 'evidence' ? <Seen entry={e} title={titles.get(e.sub) || e.sub} openEvent={openEvent} /> : <Done entry={e} />}
            </div>
          </li>
        ))}
      </ol>
    </div>
  );
}

const fewEvents = 12;

function Seen({ entry, title, openEvent }: { entry: Entry; title: string; openEvent: (id: string) => void }) {
  const [all, setAll] = useState(false);
  const n = entry.ids.length;
  const shown = all ? entry.ids : entry.ids.slice(0, fewEvents);
  return (
    <>
      <strong>{n > 1 ? `${count(n)} × ` : ''}{visible(title)}</strong>
      {entry.to > entry.from && <span className="dim"> within {duration(entry.to - entry.from)}</span>}
      <div className={css.chips}>
        {shown.map((id, i) => (
          <button key={id} type="button" onClick={() => openEvent(id)} {...(n > 1 ? { 'aria-label': `Open event ${i + 1} of ${n}` } : {})} title={`Event ${id}`}>
            {n === 1 ? 'Open the event' : i + 1}
          </button>
        ))}
        {n > shown.length && (
          <button type="button" onClick={() => setAll(true)}>
            {plural(n - shown.length, 'more', 'more')}
          </button>
        )}
      </div>
    </>
  );
}

function Done({ entry }: { entry: Entry }) {
  return (
    <>
      <strong>{visible(entry.who)}</strong> {visible(deed(entry.what, entry.detail))} {entry.what === 'merged' && <IncidentLink id={entry.detail} />}
      {entry.lane === 'note' && <RawText text={entry.detail} lines />}
    </>
  );
}

const longestNote = 8_000; // characters; the host takes 8 KiB

function AddNote({ page }: { page: IncidentPage }) {
  const [text, setText] = useState('');
  const { whyNot } = useSession();
  const why = whyNot('incidents.work');
  const add = () => {
    const note = text.trim();
    if (!note || why || !page.row) return;
    page.act('Add a note', 'Note added', [page.row], [{ action: 'comment', argument: note }]);
    setText('');
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key !== 'Enter' || !(e.ctrlKey || e.metaKey)) return;
    e.preventDefault();
    add();
  };
  return (
    <div className={css.addNote}>
      <Textarea
        aria-label="Note"
        placeholder={why || 'What did you find? Notes stay with the incident.'}
        autosize
        minRows={1}
        maxRows={8}
        maxLength={longestNote}
        value={text}
        disabled={Boolean(why)}
        onChange={(e) => setText(e.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <Tooltip label={why || <Keys keys="mod+Enter" />}>
        <Button variant="default" disabled={Boolean(why) || !text.trim()} onClick={add}>
          Add note
        </Button>
      </Tooltip>
    </div>
  );
}
