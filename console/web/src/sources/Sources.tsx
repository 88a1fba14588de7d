// Who sends records, how many, and how much of it nobody reads.

import { useQuery } from '@connectrpc/connect-query';
import { Button, SegmentedControl, TextInput } from '@mantine/core';
import { IconPlugConnected, IconPlus, IconSearch } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { HealthService } from '../gen/vedette/v1/health_pb';
import { Age } from '../ui/Age';
import { count, rate } from '../ui/age';
import { OrganizationName } from '../ui/Badge';
import { Page, Spring, useTitle } from '../ui/Layout';
import { Sparkline } from '../ui/Sparkline';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Column, VirtualTable } from '../ui/VirtualTable';
import { Rates } from './rates';
import { type Row, rowOf, select, share, type Show, sorted } from './rows';
import css from './sources.module.css';

const defaults = { show: 'all', text: '', sort: 'peer' };
const refresh = 2_000; // ms

export default function Sources() {
  useTitle('Sources');
  const [params, set] = useParams(defaults);
  const { tenants, all, selected } = useOrganization();
  const navigate = useNavigate();
  const { data, error, isPending, refetch } = useQuery(HealthService.method.getHealth, {}, { refetchInterval: refresh });
  const [rates] = useState(() => new Rates());
  const everything = useMemo(() => data?.sources.map(rowOf) ?? [], [data]);
  useEffect(() => rates.note(new Map(everything.map((r) => [r.key, r.perSecond]))), [rates, everything]);
  const shown = useMemo(
    () => sorted(select(everything, { show: params.show as Show, text: params.text, tenants }), params.sort),
    [everything, params, tenants],
  );
  const mine = useMemo(() => select(everything, { show: 'all', text: '', tenants }), [everything, tenants]);
  const silent = mine.filter((r) => r.silent).length;
  const unread = mine.filter((r) => (r.unparsed ?? 0) > 0).length;
  const columns = useMemo(() => columnsOf(all.length > 1 && !selected, rates), [all, selected, rates]);
  const [active, setActive] = useState<string>();
  const search = (r: Row) => void navigate({ to: '/search', search: { q: `vedette.source:=${JSON.stringify(r.source)}` } as never });
  const step = (by: number) => {
    const at = shown.findIndex((r) => r.key === active);
    setActive(shown[Math.max(0, Math.min(shown.length - 1, at + by))]?.key);
  };
  useHotkeys('Sources', [
    { keys: 'j', label: 'Next source', run: () => step(1) },
    { keys: 'k', label: 'Source before', run: () => step(-1) },
    { keys: 'Enter', label: 'Search its events', run: () => shown.filter((r) => r.key === active).forEach(search) },
    { keys: 'a', label: 'Add a source', run: () => void navigate({ to: '/sources/add' }) },
  ]);
  const by = params.sort.replace(/^-/, '');
  return (
    <Page
      flush
      title="Sources"
      actions={
        <>
          <SegmentedControl
            aria-label="Which sources"
            value={params.show}
            onChange={(show) => set({ show })}
            data={[
              { value: 'all', label: `All ${count(mine.length)}` },
              { value: 'silent', label: `Silent ${count(silent)}` },
              { value: 'unparsed', label: `With unparsed ${count(unread)}` },
            ]}
          />
          <TextInput
            aria-label="Filter sources"
            placeholder="Address, listener or parser"
            leftSection={<IconSearch size={14} aria-hidden="true" />}
            value={params.text}
            onChange={(e) => set({ text: e.currentTarget.value })}
          />
          <Spring />
          <Button leftSection={<IconPlus size={14} aria-hidden="true" />} renderRoot={(props) => <Link {...props} to="/sources/add" />}>
            Add a source
          </Button>
        </>
      }
    >
      {error && !data ? (
        <div className={css.error}>
          <ErrorBox error={error} doing="Load sources" retry={() => void refetch()} />
        </div>
      ) : (
        <VirtualTable
          label="Sources"
          rows={shown}
          keyOf={keyOf}
          columns={columns}
          active={active}
          onActive={setActive}
          onOpen={search}
          sort={{ by, descending: params.sort.startsWith('-') }}
          onSort={(column) => set({ sort: params.sort === `-${column}` ? column : `-${column}` })}
          empty={isPending ? undefined : <Empty none={mine.length === 0} />}
        />
      )}
    </Page>
  );
}

const keyOf = (r: Row) => r.key;

function Empty({ none }: { none: boolean }) {
  if (!none) return <EmptyState title="No source matches">Change the filter to see the others.</EmptyState>;
  return (
    <EmptyState
      icon={<IconPlugConnected size={28} stroke={1.4} aria-hidden="true" />}
      title="Nobody has sent anything since the start"
      actions={<Button renderRoot={(props) => <Link {...props} to="/sources/add" />}>Add a source</Button>}
    >
      A source appears here with its first record.
    </EmptyState>
  );
}

function columnsOf(global: boolean, rates: Rates): Column<Row>[] {
  return [
    ...(global ? [{ id: 'org', header: 'Organization', width: 'minmax(110px, 0.9fr)', cell: (r: Row) => <OrganizationName id={r.tenant} /> }] : []),
    {
      id: 'peer', header: 'Source', width: 'minmax(130px, 1.2fr)', sortable: true,
      cell: (r) => (
        <span className={css.peer}>
          <span className="mono cut">{visible(r.peer) || 'this host'}</span>
          {r.silent && (
            <Link to="/incidents/$id" params={{ id: r.silent } as never} className={css.silent} title="It fell silent: open the incident">
              silent
            </Link>
          )}
        </span>
      ),
    },
    { id: 'listener', header: 'Listener', width: 'minmax(110px, 0.9fr)', cell: (r) => <span className="dim">{visible(r.listener)}</span> },
    { id: 'parser', header: 'Read by', width: 'minmax(110px, 1fr)', cell: (r) => (r.parser ? <span className="mono">{visible(r.parser)}</span> : <span className="dim">nobody</span>) },
    {
      id: 'rate', header: 'Records/s', width: '146px', end: true, sortable: true,
      cell: (r) => (
        <span className={css.rate}>
          <Sparkline values={rates.of(r.key)} width={76} height={18} label={`Records per second of late, now ${rate(r.perSecond)}`} />
          <span>{rate(r.perSecond)}</span>
        </span>
      ),
    },
    {
      id: 'unparsed', header: 'Unparsed', width: '84px', end: true, sortable: true,
      cell: (r) =>
        (r.unparsed ?? 0) > 0 ? (
          <Link to="/modules/new" search={{ from: 'unparsed', source: r.source } as never} className={css.unparsed} title="Create a parser for what nobody reads">
            {share(r.unparsed)}
          </Link>
        ) : (
          <span className="dim">{share(r.unparsed)}</span>
        ),
    },
    { id: 'records', header: 'Records', width: '86px', end: true, sortable: true, cell: (r) => count(r.records) },
    { id: 'first', header: 'First seen', width: '78px', end: true, sortable: true, cell: (r) => <span className="dim"><Age at={r.firstSeen} short /></span> },
    { id: 'last', header: 'Last seen', width: '78px', end: true, sortable: true, cell: (r) => <Age at={r.lastSeen} short /> },
  ]; // prettier-ignore
}
