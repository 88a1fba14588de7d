// Indicators of compromise: the sets that every event is compared with, and where they are fetched from.

import { useQuery } from '@connectrpc/connect-query';
import { Button, TextInput } from '@mantine/core';
import { IconPlus, IconRefresh, IconSearch, IconTargetArrow, IconTrash, IconUpload } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { lists } from '../api/clients';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { useSession } from '../app/session';
import { type Feed, type IndicatorSet, ListService } from '../gen/vedette/v1/list_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { count, duration } from '../ui/age';
import { Badge, OrganizationName } from '../ui/Badge';
import { Page, Spring, useTitle } from '../ui/Layout';
import { failed, notice } from '../ui/notice';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Column, VirtualTable } from '../ui/VirtualTable';
import { FeedDialog } from './FeedDialog';
import { ImportDialog } from './ImportDialog';
import { Kinds } from './Kinds';
import css from './tables.module.css';
import { counted } from './words';

// Row is a set, the feed that fills it, or both.
interface Row {
  name: string;
  tenant: number;
  set?: IndicatorSet | undefined;
  feed?: Feed | undefined;
}

const defaults = { text: '' };
const keyOf = (r: Pick<Row, 'name' | 'tenant'>) => `${r.tenant} ${r.name}`;
const rowsOf = (r: Pick<Row, 'name' | 'tenant'>) => ({ to: '/tables/indicators/rows' as never, search: { of: String(r.tenant), name: r.name } as never }) as const;

export default function Indicators() {
  useTitle('Indicators');
  const [params, set] = useParams(defaults);
  const { tenants } = useOrganization();
  const { can, whyNot } = useSession();
  const navigate = useNavigate();
  const sets = useQuery(ListService.method.listIndicatorSets, { tenants }, { refetchInterval: 5_000 });
  const feeds = useQuery(ListService.method.listFeeds, { tenants }, { refetchInterval: 5_000, enabled: can('modules.change') });
  const [active, setActive] = useState<string>();
  const [feed, askFeed] = useState<Partial<Feed>>();
  const [importing, setImporting] = useState(false);
  const why = whyNot('modules.change');
  const rows = useMemo(() => {
    const all = new Map<string, Row>();
    for (const s of sets.data?.sets ?? []) all.set(keyOf(s), { name: s.name, tenant: s.tenant, set: s });
    for (const f of feeds.data?.feeds ?? []) all.set(keyOf(f), { ...(all.get(keyOf(f)) ?? { name: f.name, tenant: f.tenant }), feed: f });
    const word = params.text.trim().toLowerCase();
    return [...all.values()].filter((r) => word === '' || `${r.name} ${r.set?.origin ?? ''} ${r.feed?.url ?? ''}`.toLowerCase().includes(word)).toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.tenant - b.tenant));
  }, [sets.data, feeds.data, params.text]);
  const row = rows.find((r) => keyOf(r) === active);
  const refetch = () => Promise.all([sets.refetch(), feeds.refetch()]);
  const step = (by: number) => {
    const next = rows[Math.max(0, Math.min(rows.length - 1, rows.findIndex((r) => keyOf(r) === active) + by))];
    if (next) setActive(keyOf(next));
  };
  const run = async (doing: string, call: () => Promise<unknown>, done: string) => {
    try {
      await call();
      notice(done);
    } catch (e) {
      failed(doing, e);
    }
    await refetch();
  };
  const remove = (r: Row) =>
    run(`Remove ${visible(r.name)}`, async () => {
      if (r.feed) await lists.removeFeed({ name: r.name, tenant: r.tenant });
      if (r.set) await lists.removeIndicators({ name: r.name, tenant: r.tenant });
    }, `${visible(r.name)} is removed.`); // prettier-ignore
  useHotkeys('Indicators', [
    { keys: 'j', label: 'Next set', run: () => step(1) },
    { keys: 'k', label: 'Set before', run: () => step(-1) },
    { keys: 'a', label: 'Add a feed', run: () => why === '' && askFeed({}) },
    { keys: 'i', label: 'Import a file', run: () => why === '' && setImporting(true) },
    { keys: 'e', label: 'Change its feed', run: () => why === '' && row?.feed && askFeed(row.feed) },
    { keys: 'Enter', label: 'Show its indicators', run: () => row?.set && void navigate(rowsOf(row)) },
  ]);
  const none = why || (row ? '' : 'Choose a set first.');
  const noFeed = none || (row?.feed ? '' : 'It is fetched from nowhere.');
  const add = (
    <>
      <Button variant="default" leftSection={<IconUpload size={14} aria-hidden="true" />} disabled={why !== ''} title={why} aria-haspopup="dialog" aria-expanded={importing} onClick={() => setImporting(true)}>
        Import a file
      </Button>
      <Button leftSection={<IconPlus size={14} aria-hidden="true" />} disabled={why !== ''} title={why} aria-haspopup="dialog" aria-expanded={feed !== undefined} onClick={() => askFeed({})}>
        Add a feed
      </Button>
    </>
  );
  return (
    <Page
      flush
      title="Indicators"
      actions={
        <>
          <Kinds shown="/tables/indicators" />
          <TextInput aria-label="Filter indicator sets" placeholder="Name or origin" leftSection={<IconSearch size={14} aria-hidden="true" />} value={params.text} onChange={(e) => set({ text: e.currentTarget.value })} />
          <Spring />
          <Button variant="default" leftSection={<IconRefresh size={14} aria-hidden="true" />} disabled={noFeed !== ''} title={noFeed} onClick={() => row?.feed && void run(`Fetch ${visible(row.name)}`, () => lists.putFeed({ feed: { ...row.feed!, secret: '' } }), `${visible(row.name)} is being fetched.`)}>
            Fetch now
          </Button>
          <Button variant="default" disabled={noFeed !== ''} title={noFeed} onClick={() => row?.feed && askFeed(row.feed)}>
            Change
          </Button>
          <Button variant="default" leftSection={<IconTrash size={14} aria-hidden="true" />} disabled={none !== ''} title={none} onClick={() => row && void remove(row)}>
            Remove
          </Button>
          {add}
        </>
      }
    >
      {sets.error && !sets.data ? (
        <div className={css.error}>
          <ErrorBox error={sets.error} doing="Load the indicators" retry={() => void sets.refetch()} />
        </div>
      ) : (
        <VirtualTable
          label="Indicator sets"
          rows={rows}
          keyOf={keyOf}
          columns={columns}
          active={active}
          onActive={setActive}
          onOpen={(r) => (r.set ? void navigate(rowsOf(r)) : why === '' && r.feed && askFeed(r.feed))}
          empty={
            sets.isPending ? undefined : params.text ? (
              <EmptyState title="No set matches">Change the filter to see the others.</EmptyState>
            ) : (
              <EmptyState icon={<IconTargetArrow size={28} stroke={1.4} aria-hidden="true" />} title="There are no indicators yet" actions={add}>
                Addresses, domains, URLs, hashes and mail addresses that tell of an attack, from a file or a feed: every event is compared with them.
              </EmptyState>
            )
          }
        />
      )}
      <FeedDialog feed={feed} close={() => askFeed(undefined)} done={refetch} />
      <ImportDialog opened={importing} close={() => setImporting(false)} done={refetch} />
    </Page>
  ); // prettier-ignore
}

const columns: Column<Row>[] = [
  { id: 'name', header: 'Set', width: 'minmax(140px, 1fr)', cell: (r) => (r.set ? <Link {...rowsOf(r)} tabIndex={-1} className={css.name}>{visible(r.name)}</Link> : <span className={css.name}>{visible(r.name)}</span>) },
  { id: 'org', header: 'For', width: 'minmax(140px, 0.8fr)', cell: (r) => (r.tenant ? <OrganizationName id={r.tenant} /> : <Badge>all organizations</Badge>) },
  { id: 'count', header: 'Indicators', width: '96px', end: true, cell: (r) => (r.set ? count(r.set.indicators) : <span className="dim">none yet</span>) },
  { id: 'of', header: 'Of them', width: 'minmax(170px, 1.3fr)', cell: (r) => <span className="dim" title={r.set && counted(r.set.counts)}>{r.set && counted(r.set.counts)}</span> },
  { id: 'origin', header: 'From', width: 'minmax(160px, 1.3fr)', cell: (r) => <span className="mono dim" title={visible(r.feed?.url ?? r.set?.origin ?? '')}>{visible(r.feed ? `${r.feed.kind} ${r.feed.url}` : (r.set?.origin ?? ''))}</span> },
  { id: 'state', header: 'Fetched', width: 'minmax(170px, 1.2fr)', cell: (r) => <State feed={r.feed} /> },
  { id: 'set', header: 'In force since', width: 'minmax(110px, 0.7fr)', end: true, cell: (r) => r.set && <span className="dim" title={`${r.set.digest}, generation ${r.set.generation}`}><Age at={millis(r.set.setAt)} ago /></span> },
]; // prettier-ignore

function State({ feed: f }: { feed: Feed | undefined }) {
  if (!f) return <span className="dim">by hand</span>;
  if (f.disabled) return <Badge>off</Badge>;
  if (f.error) return <span className={css.bad} title={visible(f.error)}>failed: {visible(f.error)}</span>; // prettier-ignore
  if (!f.askedAt) return <span className="dim">waits for its turn</span>;
  return (
    <span title={`${count(f.came)} came, ${count(f.withdrawn)} were withdrawn, ${count(f.problems)} were left out`}>
      <Age at={millis(f.askedAt)} ago />
      <span className="dim"> · every {duration(Number(f.every?.seconds ?? 0n) * 1_000)} · {count(f.came)} came</span>
    </span>
  ); // prettier-ignore
}
