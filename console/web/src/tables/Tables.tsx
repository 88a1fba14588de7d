// Watch lists, indicators, inventories: what parsers and rules look into.

import { useQuery } from '@connectrpc/connect-query';
import { Button, TextInput } from '@mantine/core';
import { IconPlus, IconSearch, IconTable } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { useSession } from '../app/session';
import { type Table, TableService } from '../gen/vedette/v1/table_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { bytes, count } from '../ui/age';
import { Badge, OrganizationName } from '../ui/Badge';
import { Page, Spring, useTitle } from '../ui/Layout';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Column, VirtualTable } from '../ui/VirtualTable';
import { Kinds } from './Kinds';
import css from './tables.module.css';
import { keyOf, kindWord, rowsOf } from './words';

const defaults = { text: '' };

export default function Tables() {
  useTitle('Tables');
  const [params, set] = useParams(defaults);
  const { tenants } = useOrganization();
  const { whyNot } = useSession();
  const navigate = useNavigate();
  const { data, error, isPending, refetch } = useQuery(TableService.method.listTables, { tenants }, { refetchInterval: 10_000 });
  const rows = useMemo(() => {
    const word = params.text.trim().toLowerCase();
    return (data?.tables ?? []).filter((t) => word === '' || `${t.name} ${t.columns.join(' ')} ${t.readers.join(' ')}`.toLowerCase().includes(word)).toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.tenant - b.tenant));
  }, [data, params.text]);
  const [active, setActive] = useState<string>();
  const why = whyNot('modules.change');
  const open = (t: Table) => void navigate(rowsOf(t));
  const step = (by: number) => {
    const next = rows[Math.max(0, Math.min(rows.length - 1, rows.findIndex((t) => keyOf(t) === active) + by))];
    if (next) setActive(keyOf(next));
  };
  useHotkeys('Tables', [
    { keys: 'j', label: 'Next table', run: () => step(1) },
    { keys: 'k', label: 'Table before', run: () => step(-1) },
    { keys: 'Enter', label: 'Show its rows', run: () => rows.filter((t) => keyOf(t) === active).forEach(open) },
    { keys: 'a', label: 'Add a table', run: () => why === '' && void navigate({ to: '/tables/new' }) },
  ]);
  return (
    <Page
      flush
      title="Tables"
      actions={
        <>
          <Kinds shown="/tables" />
          <TextInput aria-label="Filter tables" placeholder="Name, column or module" leftSection={<IconSearch size={14} aria-hidden="true" />} value={params.text} onChange={(e) => set({ text: e.currentTarget.value })} />
          <Spring />
          <Add why={why} />
        </>
      }
    >
      {error && !data ? (
        <div className={css.error}>
          <ErrorBox error={error} doing="Load the tables" retry={() => void refetch()} />
        </div>
      ) : (
        <VirtualTable label="Tables" rows={rows} keyOf={keyOf} columns={columns} active={active} onActive={setActive} onOpen={open} empty={isPending ? undefined : <Empty none={(data?.tables.length ?? 0) === 0} why={why} />} />
      )}
    </Page>
  ); // prettier-ignore
}

function Add({ why }: { why: string }) {
  const icon = <IconPlus size={14} aria-hidden="true" />;
  if (why) return <Button leftSection={icon} disabled title={why}>Add a table</Button>; // prettier-ignore
  return (
    <Button leftSection={icon} renderRoot={(props) => <Link {...props} to="/tables/new" />}>
      Add a table
    </Button>
  );
}

function Empty({ none, why }: { none: boolean; why: string }) {
  if (!none) return <EmptyState title="No table matches">Change the filter to see the others.</EmptyState>;
  return (
    <EmptyState icon={<IconTable size={28} stroke={1.4} aria-hidden="true" />} title="There is no table yet" actions={<Add why={why} />}>
      A watch list, indicators or an inventory from a file: modules that were granted it look into it for each record.
    </EmptyState>
  );
}

const columns: Column<Table>[] = [
  { id: 'name', header: 'Table', width: 'minmax(130px, 1.2fr)', cell: (t) => <Link {...rowsOf(t)} tabIndex={-1} className={css.name}>{visible(t.name)}</Link> },
  { id: 'org', header: 'For', width: 'minmax(110px, 0.9fr)', cell: (t) => (t.tenant ? <OrganizationName id={t.tenant} /> : <Badge>all organizations</Badge>) },
  { id: 'kind', header: 'Keys', width: '112px', cell: (t) => <span className="dim">{kindWord(t.kind)}</span> },
  { id: 'columns', header: 'Columns', width: 'minmax(100px, 1fr)', cell: (t) => <span className="mono dim" title={visible(t.columns.join(', '))}>{visible(t.columns.join(', '))}</span> },
  { id: 'rows', header: 'Rows', width: '80px', end: true, cell: (t) => count(t.rows) },
  { id: 'size', header: 'Size', width: '76px', end: true, cell: (t) => <span className="dim">{bytes(Number(t.bytes))}</span> },
  { id: 'version', header: 'Version', width: '96px', cell: (t) => <span className="mono dim" title={`${t.digest}, generation ${t.generation}`}>{t.digest.replace('sha256:', '').slice(0, 10)}</span> },
  { id: 'readers', header: 'Read by', width: 'minmax(110px, 1fr)', cell: (t) => (t.readers.length > 0 ? <span className="mono" title={visible(t.readers.join(', '))}>{visible(t.readers.join(', '))}</span> : <span className="dim">nobody</span>) },
  { id: 'set', header: 'Changed', width: 'minmax(110px, 0.9fr)', end: true, cell: (t) => <span className="dim"><Age at={millis(t.setAt)} ago />{t.setBy && ` by ${visible(t.setBy)}`}</span> },
]; // prettier-ignore
