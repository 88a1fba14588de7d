// Which incidents the document would have raised, and raises beside the stream.

import { Button, Loader, Select } from '@mantine/core';
import { IconHistory, IconPlayerStop } from '@tabler/icons-react';
import { lazy, Suspense, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { rules } from '../api/clients';
import { useSession } from '../app/session';
import type { RuleBacktest } from '../gen/vedette/v1/rule_pb';
import { millis } from '../live/row';
import { useNow } from '../ui/Age';
import { clock, count, plural } from '../ui/age';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { Backtest as Store, type Run, shadows, type Span, spans, verdict } from './backtest';
import css from './editor.module.css';
import { Incidents } from './Incidents';
import type { Draft } from './useDraft';

const TimeChart = lazy(() => import('../chart/TimeChart'));

export function Backtest({ draft: { text, tenant, check } }: { draft: Draft }) {
  const { whyNot } = useSession();
  const [store] = useState(() => new Store((request, options) => rules.backtestRule(request, options)));
  const [span, setSpan] = useState<Span>({ last: 86_400, shadow: 0 });
  const run = useSyncExternalStore(store.subscribe, store.current);
  useEffect(() => () => store.stop(), [store, text, tenant]); // what was found was found of another text
  const busy = run.phase === 'stored' || run.phase === 'live';
  const why = whyNot('events.read') || (text.trim() === '' ? 'There is no rule yet.' : check.value?.problems.length ? 'The rule has mistakes.' : tenant === 0 ? 'Choose the organization whose events it is tried on.' : span.last === 0 && span.shadow === 0 ? 'Choose events.' : '');
  const start = () => void store.start({ text, tenant }, span);
  return (
    <div className={css.try}>
      <div className={css.controls}>
        <Select aria-label="How far back" data={spans.map((s) => ({ value: s.value, label: s.label }))} value={String(span.last)} onChange={(v) => v && setSpan({ ...span, last: Number(v) })} disabled={busy} allowDeselect={false} />
        <Select aria-label="Beside the stream" data={shadows.map((s) => ({ ...s }))} value={String(span.shadow)} onChange={(v) => v && setSpan({ ...span, shadow: Number(v) })} disabled={busy} allowDeselect={false} />
        {busy ? (
          <Button variant="default" leftSection={<IconPlayerStop size={14} aria-hidden="true" />} onClick={() => store.stop()}>
            Stop
          </Button>
        ) : (
          <Button variant="default" leftSection={<IconHistory size={14} aria-hidden="true" />} disabled={why !== ''} title={why} onClick={start}>
            Run
          </Button>
        )}
      </div>
      {why && !busy && <p className="dim">{why}</p>}
      {busy && <Progress run={run} shadow={span.shadow} />}
      {run.phase === 'live' && <Incidents list={run.news} />}
      {run.phase === 'failed' && <ErrorBox error={run.error} doing="Backtest" retry={start} />}
      {run.phase === 'none' && !why && <EmptyState icon={<IconHistory size={28} stroke={1.4} aria-hidden="true" />} title="What would it have raised?">The document runs over stored events as it would have run live, and then, if you like, beside the stream. Nothing is kept, raised or told to anybody.</EmptyState>}
      {run.phase === 'done' && <Report of={run.report} span={run.span} />}
    </div>
  ); // prettier-ignore
}

function Progress({ run, shadow }: { run: Run; shadow: number }) {
  const now = useNow();
  if (run.phase !== 'stored' && run.phase !== 'live') return null;
  const rest = run.phase === 'live' ? Math.min(shadow, Math.max(0, Math.ceil(shadow - (now - run.since) / 1_000))) : 0;
  return (
    <p className={css.progress}>
      <Loader size={14} aria-label="Running" />
      <span className="number">
        {run.phase === 'stored' ? `${plural(run.events, 'stored event')}, ${plural(run.incidents, 'incident')} so far` : `Beside the stream: ${plural(run.events, 'event')}, ${plural(run.news.length, 'incident')}; ${rest} s to go`}
      </span>
    </p>
  ); // prettier-ignore
}

function Report({ of: r, span }: { of: RuleBacktest; span: Span }) {
  const notes = [r.ended && `It ended early: ${visible(r.ended)}.`, r.liveDropped > 0n && `It was slower than the stream: ${plural(Number(r.liveDropped), 'event')} were left out.`, r.incidents.length < r.total && `The newest ${count(r.incidents.length)} are shown.`].filter(Boolean);
  return (
    <div className={css.results}>
      <p role="status" title={`${clock(millis(r.from))} to ${clock(millis(r.to))}`}>
        <strong>{verdict(r, span)}</strong>
      </p>
      {notes.map((n) => (
        <p key={String(n)} className="dim">
          {n}
        </p>
      ))}
      <Hours of={r} />
      <Incidents list={r.incidents.toReversed()} />
    </div>
  );
}

const hour = 3_600; // s
const leastHours = 24; // that are drawn
const mostHours = 745;

function Hours({ of: r }: { of: RuleBacktest }) {
  const { times, series } = useMemo(() => {
    const fires = new Map(r.hours.map((h) => [Math.floor(millis(h.at) / 1_000 / hour) * hour, Number(h.fires)]));
    const last = Math.floor(millis(r.to) / 1_000 / hour) * hour;
    const n = Math.min(mostHours, Math.max(leastHours, Math.ceil((last + hour - millis(r.from) / 1_000) / hour)));
    const all = Array.from({ length: n }, (_, i) => last - (n - 1 - i) * hour);
    return { times: all, series: [{ name: 'Fires', values: all.map((t) => fires.get(t) ?? 0), color: '--accent' }] };
  }, [r]);
  if (r.hours.length === 0) return null;
  return (
    <figure className={css.chart}>
      <figcaption>Fires by hour of the events’ time</figcaption>
      <div>
        <Suspense>
          <TimeChart times={times} step={hour} kind="bars" series={series} label={`Fires by hour: ${r.hours.length} hours with any`} />
        </Suspense>
      </div>
    </figure>
  );
}
