// The state of the queue page: what is shown, where the cursor is, what is selected, and what is done to it.

import { useNavigate } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { useParams } from '../app/params';
import { useSession } from '../app/session';
import { useLive } from '../live/live';
import type { Row } from '../live/row';
import { host } from '../triage/host';
import { type Done, type Step, Triage } from '../triage/triage';
import { dismiss, failed, notice } from '../ui/notice';
import { plural } from '../ui/age';
import type { TableHandle } from '../ui/VirtualTable';
import { filterOf, queueParams } from './filter';
import { QueueView } from './view';

const remembered = 'vedette.queue.active'; // where the cursor was, for coming back from an incident

// Trace is what an action has left on the page.
interface Trace {
  // Puts the rows that left back to their places.
  comeBack: () => void;
  told?: string;
}

const lower = (sentence: string): string => sentence[0]!.toLowerCase() + sentence.slice(1);

export type Queue = ReturnType<typeof useQueue>;

export function useQueue() {
  const { incidents } = useLive();
  const { user } = useSession();
  const navigate = useNavigate();
  const [params, set] = useParams(queueParams);
  const [view] = useState(() => new QueueView(incidents));
  const [triage] = useState(() => new Triage(incidents, host));
  const shown = useSyncExternalStore(view.subscribe, view.current);
  const jobs = useSyncExternalStore(triage.subscribe, triage.running);
  const [active, setActiveId] = useState<string | undefined>(() => sessionStorage.getItem(remembered) ?? undefined);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [pointer, setPointer] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const anchor = useRef<string | undefined>(undefined);
  const table = useRef<TableHandle>(null);
  const traces = useRef(new Map<Done, Trace>());

  useEffect(() => view.start(), [view]);
  useEffect(() => view.look(filterOf(params, user.name, new Date()), params.sort), [view, params, user.name]);
  useEffect(() => view.hold(pointer || scrolled || active !== undefined || selected.size > 0), [view, pointer, scrolled, active, selected]);

  const setActive = useCallback((id: string | undefined) => {
    anchor.current = undefined;
    setActiveId(id);
    if (id) sessionStorage.setItem(remembered, id);
    else sessionStorage.removeItem(remembered);
  }, []);

  // Another organization is another list.
  const { org } = params;
  const before = useRef(org);
  useEffect(() => {
    if (before.current === org) return;
    before.current = org;
    setActive(undefined);
    setSelected(new Set());
  }, [org, setActive]);

  // Rows that are gone are neither active nor selected.
  const place = useMemo(() => new Map(shown.rows.map((r, i) => [r.id, i])), [shown.rows]);
  const at = active === undefined ? undefined : place.get(active);
  const row: Row | undefined = at === undefined ? undefined : shown.rows[at];
  const chosen = useMemo(() => shown.rows.filter((r) => selected.has(r.id)), [shown.rows, selected]);

  const move = (by: number, extend = false) => {
    const rows = shown.rows;
    if (rows.length === 0) return;
    const to = at === undefined ? 0 : Math.max(0, Math.min(rows.length - 1, at + by));
    const id = rows[to]!.id;
    if (extend && active !== undefined) {
      anchor.current ??= active;
      const from = place.get(anchor.current) ?? to;
      setSelected(new Set(rows.slice(Math.min(from, to), Math.max(from, to) + 1).map((r) => r.id)));
      setActiveId(id);
    } else {
      setActive(id);
    }
    table.current?.focus();
  };

  const selectAll = () => setSelected(new Set(shown.rows.map((r) => r.id)));

  const toggle = useCallback((id: string) => {
    setSelected((old) => {
      const out = new Set(old);
      if (!out.delete(id)) out.add(id);
      return out;
    });
  }, []);

  // What somebody new is shown first.
  const first: Row | undefined = row ?? shown.rows[0] ?? incidents.rows.values().next().value;

  // targets are the selected rows, or the one that the cursor is on.
  const targets: readonly Row[] = chosen.length > 0 ? chosen : row ? [row] : [];

  // act does steps to rows. Those that no longer belong to what is looked at leave, and the cursor goes to the next.
  const act = (label: string, done: string, rows: readonly Row[], steps: readonly Step[]) => {
    if (rows.length === 0) return;
    const ids = rows.map((r) => r.id);
    const work = triage.act(label, ids, steps);
    const last = triage.last();
    const mine = last?.ids === ids ? last : undefined; // a note cannot be taken back
    const leaving = ids.filter((id) => !view.matches(id));
    const gone = new Set(leaving);
    const next = row && gone.has(row.id) ? shown.rows.slice(at! + 1).find((r) => !gone.has(r.id)) ?? shown.rows.slice(0, at).findLast((r) => !gone.has(r.id)) : row;
    const comeBack = view.leave(leaving);
    setSelected(new Set());
    setActive(next?.id);
    table.current?.focus();
    const trace: Trace = { comeBack };
    if (mine) traces.current.set(mine, trace);
    const tell = (what: string) => (trace.told = notice(what, mine ? () => undo(mine) : undefined));
    if (rows.length === 1) tell(done);
    work.then(
      (failures) => {
        if (failures.length > 0) comeBack();
        const undone = mine && !traces.current.has(mine);
        if (rows.length > 1 && failures.length < rows.length && !undone) tell(`${plural(rows.length - failures.length, 'incident')}: ${lower(done)}`);
      },
      (e: unknown) => {
        comeBack();
        if (trace.told) dismiss(trace.told);
        failed(label, e);
      },
    );
  };

  const undo = (which = triage.last()) => {
    if (!which) return void notice('There is nothing to undo.');
    triage.undo(which).catch((e: unknown) => failed(`Undo: ${which.label}`, e));
    const trace = traces.current.get(which);
    traces.current.delete(which);
    if (trace) {
      trace.comeBack();
      if (trace.told) dismiss(trace.told);
    }
    setActive(which.ids[0]);
    table.current?.focus();
  };

  const open = useCallback(
    (r: Row) => {
      sessionStorage.setItem(remembered, r.id);
      void navigate({ to: '/incidents/$id', params: { id: r.id } as never });
    },
    [navigate],
  );

  const clear = () => {
    setSelected(new Set());
    setActive(undefined);
  };
  const showWaiting = () => {
    view.release();
    if (active === undefined) table.current?.scrollTo(0);
    table.current?.focus();
  };
  const focus = () => table.current?.focus();
  const onScroll = (top: number) => {
    incidents.quiet();
    setScrolled(top > 0);
  };

  return {
    params, set, shown, jobs, row, first, active, setActive, selected, selectAll, toggle, targets, chosen, move, act, undo, open, clear,
    showWaiting, focus, onScroll, setPointer, table, triage, loading: incidents.complete.size === 0 && incidents.rows.size === 0,
  };
}
