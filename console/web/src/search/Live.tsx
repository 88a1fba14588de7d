// Events as they pass. Nothing here asks the store.

import { Button } from '@mantine/core';
import { IconArrowDown, IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react';
import { Code, ConnectError } from '@connectrpc/connect';
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import type { Event } from '../gen/vedette/v1/event_pb';
import { count } from '../ui/age';
import { Keys } from '../ui/Keys';
import { ErrorBox } from '../ui/States';
import type { TableHandle } from '../ui/VirtualTable';
import { split } from './edit';
import { EventTable } from './EventTable';
import css from './search.module.css';
import { maxRows, Tail } from './tail';

interface Props {
  text: string;
  columns: readonly string[];
  zone: string;
  active: string;
  onOpen: (e: Event) => void;
}

const refused = (e: unknown): boolean => [Code.InvalidArgument, Code.PermissionDenied, Code.Unauthenticated, Code.Unimplemented].includes(ConnectError.from(e).code);

// useTail follows the stream from when it is shown until another filter is.
function useTail(filter: string, tenants: number[]) {
  const [tail, setTail] = useState(() => new Tail());
  const who = tenants.join();
  useEffect(() => {
    const next = new Tail();
    setTail(next);
    void next.follow(filter, tenants, undefined, refused);
    return () => next.close();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- who stands for tenants
  }, [filter, who]);
  return { tail, live: useSyncExternalStore(tail.subscribe, tail.get) };
}

export function Live({ text, columns, zone, active, onOpen }: Props) {
  const { tenants } = useOrganization();
  const { filter, pipes } = split(text);
  const { tail, live } = useTail(filter === '*' ? '' : filter, tenants);
  const table = useRef<TableHandle>(null);
  const top = useRef(0);
  const { paused, rows, waiting } = live;
  const toggle = useCallback(() => tail.pause(!tail.get().paused), [tail]);
  useHotkeys('Live', [{ keys: 'Space', label: 'Pause or go on', run: toggle }]);
  // The newest is at the bottom and stays in sight; whoever scrolls up wants to read.
  useEffect(() => {
    if (!paused && rows.length > 0) table.current?.scrollTo(rows.length - 1);
  }, [rows, paused]);
  const onScroll = (now: number) => {
    if (now < top.current - 4 && rows.length > 20) tail.pause(true);
    top.current = now;
  };
  const latest = useRef(onOpen);
  latest.current = onOpen;
  const open = useCallback(
    (id: string) => {
      tail.pause(true);
      const e = tail.get().rows.find((r) => r.id === id);
      if (e) latest.current(e);
    },
    [tail],
  );
  return (
    <div className={css.results}>
      <div className={css.resultHead}>
        <span className={css.liveState} data-status={paused ? 'paused' : live.status} role="status">
          {paused ? 'Paused' : live.status === 'live' ? 'Live' : live.status === 'connecting' ? 'Connecting…' : 'Reconnecting…'}
        </span>
        <Button variant="default" leftSection={paused ? <IconPlayerPlay size={14} aria-hidden="true" /> : <IconPlayerPause size={14} aria-hidden="true" />} rightSection={<Keys keys="Space" />} onClick={toggle}>
          {paused ? 'Go on' : 'Pause'}
        </Button>
        <Button variant="default" onClick={tail.clear}>
          Clear
        </Button>
        <span className="dim number">
          {count(live.seen)} seen · the last {count(maxRows)} are kept ·{' '}
          <span data-dropped={live.dropped > 0 || undefined} className={css.dropped} title="Events that the host left out because they came faster than they could be sent">
            {count(live.dropped)} dropped
          </span>
        </span>
      </div>
      <p className={css.liveHint}>
        From the stream, as events are parsed; the store is not asked.{pipes && ' What follows the first | is left out.'}
      </p>
      {live.error !== undefined && <ErrorBox error={live.error} doing="Follow the stream" />}
      <div className={css.resultBody}>
        <EventTable
          label="Live events, the newest last"
          rows={rows}
          columns={columns}
          zone={zone}
          days={false}
          active={active}
          onOpen={open}
          onScroll={onScroll}
          handle={table}
          empty={<p className={css.waiting}>{live.status === 'live' ? 'Waiting for the first event that matches.' : 'Connecting.'}</p>}
        />
        {paused && waiting > 0 && (
          <button type="button" className={css.newPill} onClick={toggle}>
            <IconArrowDown size={13} stroke={2.4} aria-hidden="true" />
            {count(waiting)} new
          </button>
        )}
      </div>
      <Announcement paused={paused} waiting={waiting} dropped={live.dropped} />
    </div>
  );
}

const quiet = 5_000; // ms between two messages

function Announcement({ paused, waiting, dropped }: { paused: boolean; waiting: number; dropped: number }) {
  const [text, setText] = useState('');
  const latest = useRef('');
  latest.current = paused && waiting > 0 ? `Paused, ${count(waiting)} new` : dropped > 0 ? `${count(dropped)} events were dropped` : '';
  useEffect(() => {
    const timer = setInterval(() => setText(latest.current), quiet);
    return () => clearInterval(timer);
  }, []);
  return <span className="unseen" role="status">{text}</span>;
}
