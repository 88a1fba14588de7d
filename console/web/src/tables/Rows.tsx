// The rows of one table: searched, added, replaced and taken out; each change is another version of it.

import { Code, ConnectError } from '@connectrpc/connect';
import { Button, Menu, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconArrowLeft, IconDownload, IconPlus, IconSearch, IconTrash, IconUpload } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { tables } from '../api/clients';
import { useHotkeys } from '../app/keys';
import { useParams } from '../app/params';
import { useSession } from '../app/session';
import type { Table } from '../gen/vedette/v1/table_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { bytes, count, plural } from '../ui/age';
import { Badge, OrganizationName } from '../ui/Badge';
import { Page, Spring, useTitle } from '../ui/Layout';
import { failed, notice } from '../ui/notice';
import { save } from '../ui/save';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Column, VirtualTable } from '../ui/VirtualTable';
import { allRows, asCSV, asJSONL } from './download';
import { RowDialog } from './RowDialog';
import css from './tables.module.css';
import { type Line, useRows } from './useRows';
import { kindWord } from './words';

const defaults = { of: 0, name: '', text: '' };

export default function Rows() {
  const [params, set] = useParams(defaults);
  const { of: tenant, name } = params;
  useTitle(name);
  const navigate = useNavigate();
  const { whyNot } = useSession();
  const [text] = useDebouncedValue(params.text.trim(), 200);
  const rows = useRows(tenant, name, text);
  const { table, lines, matches } = rows;
  const [active, setActive] = useState<string>();
  const [editing, edit] = useState<readonly string[]>();
  const line = lines.find((l) => l.key === active);
  const why = whyNot(tenant ? 'modules.change' : 'global.change');
  const columns = useMemo(() => columnsOf(table?.columns ?? []), [table?.digest]);
  const change = async (what: { put?: readonly (readonly string[])[]; remove?: readonly string[] }, digest: string): Promise<string> => {
    const { table: now } = await tables.changeTable({ name, tenant, digest, put: (what.put ?? []).map((cells) => ({ cells: [...cells] })), remove: [...(what.remove ?? [])] });
    await rows.refetch();
    return now!.digest;
  };
  const remove = async (l: Line) => {
    try {
      const digest = await change({ remove: [l.cells[0]!] }, table!.digest);
      setActive(undefined);
      notice(`“${visible(l.cells[0]!)}” is taken out.`, () => void change({ put: [l.cells] }, digest).catch((e: unknown) => failed('Undo', e)));
    } catch (e) {
      failed(`Take out “${visible(l.cells[0]!)}”`, e);
      await rows.refetch();
    }
  };
  const step = (by: number) => setActive(lines[Math.max(0, Math.min(lines.length - 1, lines.findIndex((l) => l.key === active) + by))]?.key);
  const may = (run: () => void) => () => (why ? void notice(why) : run());
  useHotkeys('Table', [
    { keys: 'j', label: 'Next row', run: () => step(1) },
    { keys: 'k', label: 'Row before', run: () => step(-1) },
    { keys: 'a', label: 'Add a row', run: may(() => edit([])) },
    { keys: 'e', label: 'Change the row', run: may(() => line && edit(line.cells)) },
    { keys: 'd', label: 'Take the row out', run: may(() => line && void remove(line)) },
    { keys: 'Escape', label: 'Back to the tables', run: () => void navigate({ to: '/tables' }) },
  ]);
  const missing = rows.error && ConnectError.from(rows.error).code === Code.NotFound;
  return (
    <Page
      flush
      title={visible(name)}
      actions={
        <>
          <TextInput aria-label="Search the rows" placeholder="Text of any cell" leftSection={<IconSearch size={14} aria-hidden="true" />} value={params.text} onChange={(e) => set({ text: e.currentTarget.value })} />
          {table && <span className="dim number" role="status">{text ? `${count(matches)} of ${plural(Number(table.rows), 'row')}` : plural(Number(table.rows), 'row')}</span>}
          <Spring />
          {table && <Actions table={table} why={why} line={line} adding={editing?.length === 0} add={() => edit([])} change={() => line && edit(line.cells)} remove={() => line && void remove(line)} />}
        </>
      }
    >
      {missing ? (
        <EmptyState title="There is no such table" actions={<Button renderRoot={(props) => <Link {...props} to="/tables" />}>To the tables</Button>}>
          It may have been removed.
        </EmptyState>
      ) : rows.error ? (
        <div className={css.error}>
          <ErrorBox error={rows.error} doing="Load the rows" retry={() => void rows.refetch()} />
        </div>
      ) : (
        <div className={css.rows}>
          {table && <About table={table} />}
          <div>
            <VirtualTable
              label="Rows"
              rows={lines}
              keyOf={keyOf}
              columns={columns}
              active={active}
              onActive={setActive}
              onOpen={(l) => why === '' && edit(l.cells)}
              onScroll={(top) => { if (rows.hasNextPage && !rows.isFetching && top > (lines.length - 60) * 34) void rows.fetchNextPage(); }}
              empty={rows.isPending ? undefined : <EmptyState title={text ? 'No row has that text' : 'The table has no rows'}>{text ? 'Search for something else.' : 'Add one, or upload a file.'}</EmptyState>}
            />
          </div>
        </div>
      )}
      {table && (
        <RowDialog
          columns={table.columns}
          cells={editing}
          close={() => edit(undefined)}
          send={async (cells) => {
            const before = editing?.[0];
            await change({ put: [cells], remove: before !== undefined && before !== cells[0] ? [before] : [] }, table.digest);
            notice(`“${visible(cells[0]!)}” is in the table.`);
          }}
        />
      )}
    </Page>
  ); // prettier-ignore
}

const keyOf = (l: Line) => l.key;

const columnsOf = (names: readonly string[]): Column<Line>[] =>
  names.map((n, i) => ({ id: String(i), header: i === 0 ? `${visible(n)} (key)` : visible(n), width: 'minmax(140px, 1fr)', cell: (l) => <span className={i === 0 ? 'mono' : undefined} title={visible(l.cells[i] ?? '')}>{visible(l.cells[i] ?? '')}</span> })); // prettier-ignore

function About({ table: t }: { table: Table }) {
  return (
    <p className={css.about}>
      {t.tenant ? <OrganizationName id={t.tenant} /> : <Badge>all organizations</Badge>}
      <span>keys: {kindWord(t.kind)}</span>
      <span>{bytes(Number(t.bytes))}</span>
      <span className="mono" title={t.digest}>{t.digest.replace('sha256:', '').slice(0, 12)}</span>
      <span>
        changed <Age at={millis(t.setAt)} ago />
        {t.setBy && ` by ${visible(t.setBy)}`}
      </span>
    </p>
  ); // prettier-ignore
}

interface ActionsProps {
  table: Table;
  why: string;
  line: Line | undefined;
  adding: boolean;
  add: () => void;
  change: () => void;
  remove: () => void;
}

function Actions({ table: t, why, line, adding, add, change, remove }: ActionsProps) {
  const [busy, setBusy] = useState(false);
  const load = async (format: 'csv' | 'jsonl') => {
    setBusy(true);
    try {
      const rows = await allRows(t);
      if (format === 'csv') save(`${t.name}.csv`, asCSV(t.columns, rows), 'text/csv');
      else save(`${t.name}.jsonl`, asJSONL(t.columns, rows), 'application/x-ndjson');
    } catch (e) {
      failed(`Download ${visible(t.name)}`, e);
    }
    setBusy(false);
  };
  const none = why || (line ? '' : 'Choose a row first.');
  return (
    <>
      <Button variant="default" disabled={none !== ''} title={none} onClick={change}>
        Change the row
      </Button>
      <Button variant="default" leftSection={<IconTrash size={14} aria-hidden="true" />} disabled={none !== ''} title={none} onClick={remove}>
        Take out
      </Button>
      <Menu>
        <Menu.Target>
          <Button variant="default" loading={busy} leftSection={<IconDownload size={14} aria-hidden="true" />}>
            Download
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => void load('csv')}>CSV, for spreadsheets</Menu.Item>
          <Menu.Item onClick={() => void load('jsonl')}>JSON lines, exactly as it is kept</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {!why && (
        <Button variant="default" leftSection={<IconUpload size={14} aria-hidden="true" />} renderRoot={(props) => <Link {...props} to="/tables/new" search={{ of: String(t.tenant), name: t.name, kind: t.kind } as never} />}>
          Upload
        </Button>
      )}
      <Button leftSection={<IconPlus size={14} aria-hidden="true" />} disabled={why !== ''} title={why} aria-haspopup="dialog" aria-expanded={adding} onClick={add}>
        Add a row
      </Button>
      <Button variant="default" leftSection={<IconArrowLeft size={13} aria-hidden="true" />} renderRoot={(props) => <Link {...props} to="/tables" />}>
        Tables
      </Button>
    </>
  );
}
