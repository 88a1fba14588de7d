// What modules used for organizations, and whose work kept the processor busy.

import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { useQuery } from '@connectrpc/connect-query';
import { Button, SegmentedControl } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useEffect, useMemo, useState } from 'react';
import { usage } from '../api/clients';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { Legend } from '../chart/Legend';
import { type GetUsageResponse, UsageGroup, UsageService } from '../gen/vedette/v1/usage_pb';
import { millis } from '../live/row';
import { plural } from '../ui/age';
import { Page, Spring, useTitle } from '../ui/Layout';
import { failed } from '../ui/notice';
import { EmptyState, ErrorBox } from '../ui/States';
import { VirtualTable } from '../ui/VirtualTable';
import { columnsOf } from './columns';
import { partsOf, periods, restOf, type Row, rowsOf, seconds, share, sorted } from './figures';
import css from './usage.module.css';

const TimeChart = lazy(() => import('../chart/TimeChart'));
const defaults = { period: '1h', by: 'module', sort: '-cpu', at: '' };
const refresh = 10_000; // ms, as often as the host writes it

export default function Usage() {
  useTitle('Usage');
  const [params, set] = useParams(defaults);
  const { tenants } = useOrganization();
  const minute = useMinute();
  const request = useMemo(() => {
    const period = periods.find((p) => p.value === params.period) ?? periods[0];
    return {
      tenants,
      from: timestampFromMs(minute - period.seconds * 1_000),
      group: params.by === 'organization' ? UsageGroup.ORGANIZATION : UsageGroup.MODULE,
    };
  }, [tenants, minute, params.period, params.by]);
  const { data, error, refetch } = useQuery(UsageService.method.getUsage, request, { refetchInterval: refresh, placeholderData: keepPreviousData, retry: false });
  const { busy, save } = useExport(request);
  useHotkeys('Usage', [{ keys: 'e', label: 'Export as CSV', run: save }]);
  return (
    <Page
      flush
      title="Usage"
      actions={
        <>
          <SegmentedControl aria-label="The last" value={params.period} onChange={(period) => set({ period })} data={periods.map((p) => ({ value: p.value, label: p.title }))} />
          <SegmentedControl
            aria-label="A row for each"
            value={params.by}
            onChange={(by) => set({ by, at: '' })}
            data={[{ value: 'module', label: 'Modules' }, { value: 'organization', label: 'Organizations' }]}
          />
          <Spring />
          <Button variant="default" loading={busy} leftSection={<IconDownload size={14} aria-hidden="true" />} onClick={save}>
            Export CSV
          </Button>
        </>
      }
    >
      {error && !data && (
        <div className={css.error}>
          <ErrorBox error={error} doing="Load usage" retry={() => void refetch()} />
        </div>
      )}
      {data && <Body usage={data} modules={params.by !== 'organization'} sort={params.sort} at={params.at} set={set} />}
    </Page>
  ); // prettier-ignore
}

interface BodyProps {
  usage: GetUsageResponse;
  modules: boolean;
  sort: string;
  at: string;
  set: (patch: Partial<typeof defaults>) => void;
}

function Body({ usage: u, modules, sort, at, set }: BodyProps) {
  const { all, selected } = useOrganization();
  const rows = useMemo(() => sorted(rowsOf(u), sort), [u, sort]);
  const columns = useMemo(() => columnsOf({ global: all.length > 1 && !selected, modules }), [all.length, selected, modules]);
  return (
    <div className={css.usage}>
      <Totals usage={u} />
      <OverTime usage={u} />
      <div className={css.list}>
        <VirtualTable
          label="Usage"
          rows={rows}
          keyOf={keyOf}
          columns={columns}
          active={at || undefined}
          onActive={(key) => set({ at: key })}
          sort={{ by: sort.replace(/^-/, ''), descending: sort.startsWith('-') }}
          onSort={(by) => set({ sort: sort === `-${by}` ? by : `-${by}` })}
          empty={<EmptyState title="Nothing was used in this period">Usage appears within ten seconds of the first record.</EmptyState>}
        />
      </div>
    </div>
  );
}

const keyOf = (r: Row) => r.key;

function Totals({ usage: u }: { usage: GetUsageResponse }) {
  const shown = u.lines.reduce((sum, l) => sum + l.cpuSeconds, 0);
  const fuel = u.lines.reduce((sum, l) => sum + Number(l.used?.fuel ?? 0n), 0);
  const h = u.host;
  if (!h) {
    return (
      <div className={css.tiles}>
        <Tile title="Processor time" value={seconds(shown)}>
          {plural(Math.round(fuel / 1e6), 'million unit')} of fuel, and the host’s work on your records
        </Tile>
      </div>
    );
  }
  return (
    <div className={css.tiles}>
      <Tile title="The process" value={seconds(h.cpuSeconds)}>
        of processor time, all threads
      </Tile>
      <Tile title="Charged to organizations" value={seconds(h.chargedSeconds)}>
        {h.cpuSeconds > 0 ? share(h.chargedSeconds / h.cpuSeconds) : '–'} of it{shown < 0.995 * h.chargedSeconds && `; ${seconds(shown)} to the one shown`}
      </Tile>
      <Tile title="The host itself" value={seconds(restOf(h))}>
        queries, the console, the stores’ own threads
      </Tile>
      <Tile title="A billion units of fuel" value={h.nanosecondsPerFuel > 0 ? seconds(h.nanosecondsPerFuel) : '–'}>
        at the rate measured here in this period
      </Tile>
    </div>
  );
}

function Tile({ title, value, children }: { title: string; value: string; children: ReactNode }) {
  return (
    <section className={css.tile}>
      <h2>{title}</h2>
      <strong>{value}</strong>
      <p>{children}</p>
    </section>
  );
}

function OverTime({ usage: u }: { usage: GetUsageResponse }) {
  const { name, color } = useOrganization();
  const parts = useMemo(() => partsOf(u, name, (t) => color(t).slice(4, -1)), [u, name, color]);
  const times = useMemo(() => {
    const from = millis(u.from) / 1_000;
    return Array.from({ length: Math.round((millis(u.to) / 1_000 - from) / u.stepSeconds) }, (_, i) => from + i * u.stepSeconds);
  }, [u]);
  return (
    <figure className={css.chart}>
      <figcaption>
        Processor, % of one core
        <Legend of={parts} />
      </figcaption>
      <div>
        <Suspense fallback={<p className="dim">The chart is loading…</p>}>
          <TimeChart times={times} step={u.stepSeconds} kind="bars" unit="%" format={(n) => n.toFixed(n < 10 ? 2 : 1)} series={parts} label={`Processor time over the period by organization: ${parts.map((p) => p.name).join(', ')}`} />
        </Suspense>
      </div>
    </figure>
  ); // prettier-ignore
}

// useMinute is the beginning of the minute, in milliseconds, so that what is asked changes once in one.
function useMinute(): number {
  const now = () => Math.floor(Date.now() / 60_000) * 60_000;
  const [minute, set] = useState(now);
  useEffect(() => {
    const timer = setInterval(() => set(now()), 5_000);
    return () => clearInterval(timer);
  }, []);
  return minute;
}

// useExport saves what is shown, a line for each step, as a file.
function useExport(query: Parameters<typeof usage.exportUsage>[0]['query']) {
  const [busy, setBusy] = useState(false);
  const save = () => {
    setBusy(true);
    usage
      .exportUsage({ query })
      .then(({ name, csv }) => {
        const url = URL.createObjectURL(new Blob([csv as Uint8Array<ArrayBuffer>], { type: 'text/csv;charset=utf-8' }));
        const link = document.createElement('a');
        link.href = url;
        link.download = name;
        link.click();
        URL.revokeObjectURL(url);
      })
      .catch((e: unknown) => failed('Export usage', e))
      .finally(() => setBusy(false));
  };
  return { busy, save };
}
