// The operator's overview: what the last hour was like, from the host's memory. Opening it asks no store.

import { useQuery } from '@connectrpc/connect-query';
import { SegmentedControl, Skeleton } from '@mantine/core';
import { keepPreviousData } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useRef } from 'react';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { condition } from '../event';
import { DashboardService, type GetOverviewResponse } from '../gen/vedette/v1/dashboard_pb';
import { useLive } from '../live/live';
import { millis, severities } from '../live/row';
import { count } from '../ui/age';
import { Age } from '../ui/Age';
import { Page, Spring, useTitle } from '../ui/Layout';
import { Severity } from '../ui/Severity';
import { ErrorBox } from '../ui/States';
import { places, queryOf } from './countries';
import css from './dashboard.module.css';
import { bySeverity, byRule, rates, topOf } from './overview';
import { Countries, EventRate, IncidentsOverTime, type Shared, TopList } from './widgets';

const params = { minutes: 60, table: [] as string[] };
const every = 2_000; // ms; a hidden tab does not ask
const tops = [
  { field: 'source.ip', title: 'Top sources' },
  { field: 'user.name', title: 'Top users' },
  { field: 'host.name', title: 'Top hosts' },
  { field: 'event.dataset', title: 'Top datasets' },
] as const;
const mostTop = 20;

export default function Dashboard() {
  const [{ minutes, table }, set] = useParams(params);
  const { tenants } = useOrganization();
  const { data, error, refetch } = useQuery(
    DashboardService.method.getOverview,
    { tenants, minutes },
    { refetchInterval: every, placeholderData: keepPreviousData, structuralSharing: false, retry: false },
  );
  useTitle('Overview');
  return (
    <Page
      title="Overview"
      actions={
        <>
          <Spring />
          <SegmentedControl
            aria-label="The last"
            value={String(minutes)}
            onChange={(m) => set({ minutes: Number(m) })}
            data={[{ value: '15', label: '15 min' }, { value: '30', label: '30 min' }, { value: '60', label: '1 hour' }]}
          />
        </>
      }
    >
      {error && <ErrorBox error={error} doing="Load the overview" retry={() => void refetch()} />}
      {data && <Widgets data={data} minutes={minutes} shared={{ tables: table, onTables: (t) => set({ table: t }) }} />}
      {!data && !error && <Skeleton height={420} />}
    </Page>
  );
}

function Widgets({ data, minutes, shared }: { data: GetOverviewResponse; minutes: number; shared: Shared }) {
  const go = useGo(minutes);
  const titleOf = useRuleTitles();
  const severity = useMemo(() => bySeverity(data), [data]);
  const rule = useMemo(() => byRule(data, titleOf), [data, titleOf]);
  const rate = useMemo(() => rates(data), [data]);
  const countries = useMemo(() => places(data.countries), [data]);
  const since = millis(data.since);
  return (
    <>
      <div className={css.grid}>
        <Open counts={data.openBySeverity} onOpen={(sev) => go.queue({ sev: [sev], state: ['open', 'acknowledged'] })} />
        <IncidentsOverTime {...shared} id="severity" title="Incidents by severity" of="Severity" data={severity} onOpen={(sev) => go.queue({ sev: [sev], state: ['any'] })} />
        <IncidentsOverTime {...shared} id="rule" title="Incidents by rule" of="Rule" data={rule} onOpen={(r) => go.queue({ ...(r ? { rule: [r] } : {}), state: ['any'] })} />
        <EventRate {...shared} data={rate} onBrush={go.time} onOpen={(name) => go.search(name === 'unparsed' ? 'event.kind:="pipeline_error"' : '*')} />
        <Countries {...shared} places={countries} onOpen={(p) => go.search(queryOf(p))} />
        {tops.map((t) => (
          <TopList {...shared} key={t.field} {...t} rows={topOf(data, t.field, mostTop)} onOpen={(r) => go.search(condition({ field: t.field, value: r.value }))} />
        ))}
      </div>
      <p className={css.foot}>
        Computed from the stream, 0 store queries.
        {since > 0 && since > millis(data.from) && <> Counting began <Age at={since} ago />, when the host was started.</>} Incidents are firings per minute; top values are counted in
        whole five minutes.
      </p>
    </>
  );
}

// Open has the incidents that wait for somebody, as numbers.
function Open({ counts, onOpen }: { counts: { [severity: string]: bigint }; onOpen: (severity: string) => void }) {
  return (
    <section className={css.open} aria-label="Open and acknowledged incidents by severity">
      <h2>
        Not resolved
        <span className="dim">open or acknowledged, now</span>
      </h2>
      {severities.map((s) => (
        <button key={s} type="button" onClick={() => onOpen(s)} title={`Show ${s} incidents that are not resolved`} data-none={!counts[s] || undefined}>
          <b className="number">{count(counts[s] ?? 0n)}</b>
          <Severity value={s} />
        </button>
      ))}
    </section>
  );
}

// useGo leads to what a widget counts.
function useGo(minutes: number) {
  const navigate = useNavigate();
  return useMemo(
    () => ({
      queue: (search: Record<string, string[]>) => void navigate({ to: '/queue', search: search as never }),
      search: (q: string) => void navigate({ to: '/search', search: { q, range: minutes === 60 ? '1h' : `${minutes}m` } as never }),
      time: (from: number, to: number) => void navigate({ to: '/search', search: { from: new Date(from).toISOString(), to: new Date(to).toISOString() } as never }),
    }),
    [navigate, minutes],
  );
}

// useRuleTitles names rules as the incidents that they raised do.
function useRuleTitles(): (rule: string) => string {
  const { incidents } = useLive();
  const known = useRef(new Map<string, string>());
  return useMemo(
    () => (rule: string) => {
      if (!known.current.has(rule)) for (const r of incidents.rows.values()) known.current.set(r.incident.rule, r.incident.ruleName || r.incident.rule);
      return known.current.get(rule) ?? rule;
    },
    [incidents],
  );
}
