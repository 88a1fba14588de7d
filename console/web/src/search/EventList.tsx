// Events as they came, or as JSON: one under the other, as high as they need to be. Long ones are cut until somebody asks.

import { UnstyledButton } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, startTransition, useCallback, useMemo, useRef, useState } from 'react';
import { useOrganization } from '../app/organization';
import type { Event } from '../gen/vedette/v1/event_pb';
import { millis } from '../live/row';
import { count } from '../ui/age';
import { CopyButton } from '../ui/Copy';
import { pieces, visible } from '../ui/text';
import { listOf } from '../event';
import { longest, shortest, tokens } from './lines';
import css from './search.module.css';
import { dayAndTime, whole } from './time';

interface Props {
  rows: readonly Event[];
  json: boolean;
  zone: string;
  active: string;
  onOpen: (id: string) => void;
}

export function EventList({ rows, json, zone, active, onOpen }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [long, setLong] = useState<ReadonlySet<string>>(new Set());
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => (json ? 190 : 58), overscan: 4, getItemKey: (i) => rows[i]!.id || i });
  const expand = useCallback((id: string) => startTransition(() => setLong((now) => new Set(now).add(id))), []);
  return (
    <div ref={box} className={css.entries} role="feed" aria-label={json ? 'Events as JSON' : 'Records as received'} tabIndex={0}>
      <div style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((v) => (
          <article
            key={v.key}
            ref={virtual.measureElement}
            data-index={v.index}
            className={css.entry}
            data-active={rows[v.index]!.id === active || undefined}
            aria-posinset={v.index + 1}
            aria-setsize={rows.length}
            style={{ transform: `translateY(${v.start}px)` }}
          >
            <Entry event={rows[v.index]!} json={json} zone={zone} long={long.has(rows[v.index]!.id)} onLong={expand} onOpen={onOpen} />
          </article>
        ))}
      </div>
    </div>
  );
}

interface EntryProps {
  event: Event;
  json: boolean;
  zone: string;
  long: boolean;
  onLong: (id: string) => void;
  onOpen: (id: string) => void;
}

const Entry = memo(function Entry({ event, json, zone, long, onLong, onOpen }: EntryProps) {
  const { all, name, color } = useOrganization();
  const text = useMemo(() => (json ? asJSON(event) : event.raw), [event, json]);
  const most = long ? longest : shortest;
  const shown = text.slice(0, most);
  const at = millis(event.time);
  return (
    <>
      <div className={css.entryHead}>
        <UnstyledButton className="mono" title={`${whole(at, zone)}: open the event`} onClick={() => onOpen(event.id)}>
          {dayAndTime(at, zone)}
        </UnstyledButton>
        {all.length > 1 && <i style={{ background: color(event.tenant) }} title={name(event.tenant)} />}
        <span className="dim cut">{visible(event.fields['event.dataset'] ?? '')}</span>
        <CopyButton text={text} what={json ? 'the JSON' : 'the record'} />
      </div>
      <pre className={css.entryText}>
        {json ? tokens(shown).map((t, i) => (t.kind === 'plain' ? visibleLines(t.text) : <span key={i} data-kind={t.kind}>{visible(t.text)}</span>)) : visibleLines(shown)}
        {text.length > most && (long ? <span className="dim"> … {count(text.length - most)} more characters: copy it to see them</span> : ' …')}
      </pre>
      {text.length > most && !long && (
        <UnstyledButton className={css.moreText} onClick={() => onLong(event.id)}>
          Show all {count(text.length)} characters
        </UnstyledButton>
      )}
    </>
  );
});

const visibleLines = (text: string): string => pieces(text, true).map((p) => p.text).join('');

function asJSON(e: Event): string {
  const fields = Object.keys(e.fields).sort().map((n) => [n, listOf(e.fields[n]!) ?? e.fields[n]!]);
  return JSON.stringify(Object.fromEntries(fields), null, 2);
}
