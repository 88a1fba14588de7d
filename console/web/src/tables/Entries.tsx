// The values of one list, with where each comes from and until when it counts.

import { Code, ConnectError } from '@connectrpc/connect';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Button, Textarea, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconArrowLeft, IconPlus, IconSearch, IconTrash } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { lists } from '../api/clients';
import { useHotkeys } from '../app/keys';
import { useParams } from '../app/params';
import { useSession } from '../app/session';
import type { List, ListEntry } from '../gen/vedette/v1/list_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { count, plural } from '../ui/age';
import { Badge, OrganizationName } from '../ui/Badge';
import { Page, Spring, useTitle } from '../ui/Layout';
import { failed, notice } from '../ui/notice';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Column, VirtualTable } from '../ui/VirtualTable';
import { Ask, durationOf, spanOf } from './Ask';
import css from './tables.module.css';
import { groupWord, kindWord, left } from './words';

const defaults = { of: 0, name: '', text: '' };
const portion = 500;
const keyOf = (e: ListEntry) => e.value;

export default function Entries() {
  const [params, set] = useParams(defaults);
  const { of: tenant, name } = params;
  useTitle(name);
  const navigate = useNavigate();
  const { whyNot } = useSession();
  const [text] = useDebouncedValue(params.text.trim(), 200);
  const query = useInfiniteQuery({
    queryKey: ['list entries', tenant, name, text],
    queryFn: ({ pageParam, signal }) => lists.listEntries({ name, tenant, text, offset: BigInt(pageParam), limit: portion }, { signal }),
    initialPageParam: 0,
    getNextPageParam: (last, _, from) => (from + last.entries.length < Number(last.matches) && last.entries.length > 0 ? from + last.entries.length : undefined),
    placeholderData: (before) => before,
    refetchInterval: 10_000,
  });
  const pages = query.data?.pages;
  const entries = useMemo(() => pages?.flatMap((p) => p.entries) ?? [], [pages]);
  const list = pages?.at(-1)?.list;
  const matches = Number(pages?.at(-1)?.matches ?? 0);
  const [active, setActive] = useState<string>();
  const [adding, add] = useState(false);
  const entry = entries.find((e) => e.value === active);
  const why = whyNot(tenant ? 'modules.change' : 'global.change');
  const remove = async (e: ListEntry) => {
    try {
      await lists.changeEntries({ name, tenant, remove: [e.value] });
      setActive(undefined);
      notice(`“${visible(e.value)}” is taken out.`);
    } catch (err) {
      failed(`Take out “${visible(e.value)}”`, err);
    }
    await query.refetch();
  };
  const step = (by: number) => setActive(entries[Math.max(0, Math.min(entries.length - 1, entries.findIndex((e) => e.value === active) + by))]?.value);
  useHotkeys('List', [
    { keys: 'j', label: 'Next value', run: () => step(1) },
    { keys: 'k', label: 'Value before', run: () => step(-1) },
    { keys: 'a', label: 'Add values', run: () => (why ? void notice(why) : add(true)) },
    { keys: 'd', label: 'Take the value out', run: () => (why ? void notice(why) : entry && void remove(entry)) },
    { keys: 'Escape', label: 'Back to the lists', run: () => void navigate({ to: '/tables/lists' }) },
  ]);
  const none = why || (entry ? '' : 'Choose a value first.');
  return (
    <Page
      flush
      title={visible(name)}
      actions={
        <>
          <TextInput aria-label="Search the values" placeholder="Value, origin or note" leftSection={<IconSearch size={14} aria-hidden="true" />} value={params.text} onChange={(e) => set({ text: e.currentTarget.value })} />
          {list && <span className="dim number" role="status">{text ? `${count(matches)} of ${plural(Number(list.values), 'value')}` : plural(Number(list.values), 'value')}</span>}
          <Spring />
          <Button variant="default" leftSection={<IconTrash size={14} aria-hidden="true" />} disabled={none !== ''} title={none} onClick={() => entry && void remove(entry)}>
            Take out
          </Button>
          <Button leftSection={<IconPlus size={14} aria-hidden="true" />} disabled={why !== '' || !list} title={why} aria-haspopup="dialog" aria-expanded={adding} onClick={() => add(true)}>
            Add values
          </Button>
          <Button variant="default" leftSection={<IconArrowLeft size={13} aria-hidden="true" />} renderRoot={(props) => <Link {...props} to={'/tables/lists' as never} />}>
            Lists
          </Button>
        </>
      }
    >
      {query.error && ConnectError.from(query.error).code === Code.NotFound ? (
        <EmptyState title="There is no such list">It may have been removed.</EmptyState>
      ) : query.error ? (
        <div className={css.error}>
          <ErrorBox error={query.error} doing="Load the values" retry={() => void query.refetch()} />
        </div>
      ) : (
        <div className={css.rows}>
          {list && <About list={list} />}
          <div>
            <VirtualTable
              label="Values"
              rows={entries}
              keyOf={keyOf}
              columns={columns}
              active={active}
              onActive={setActive}
              onScroll={(top) => { if (query.hasNextPage && !query.isFetching && top > (entries.length - 60) * 34) void query.fetchNextPage(); }}
              empty={query.isPending ? undefined : <EmptyState title={text ? 'No value has that text' : 'The list is empty'}>{text ? 'Search for something else.' : 'Add values, or let a rule write them.'}</EmptyState>}
            />
          </div>
        </div>
      )}
      <Ask
        opened={adding}
        title="Add values"
        close={() => add(false)}
        send={async (field) => {
          const values = [...new Set(field('values').split('\n').map((v) => v.trim()).filter((v) => v !== ''))];
          const ttl = durationOf(spanOf(field('ttl')));
          await lists.changeEntries({ name, tenant, put: values.map((value) => ({ value, note: field('note').trim(), ...(ttl ? { ttl } : {}) })) });
          notice(`${plural(values.length, 'value')} ${values.length === 1 ? 'is' : 'are'} in ${name}.`);
          await query.refetch();
        }}
      >
        <Textarea label="Values" name="values" description="One a line; a value that is there is put in anew" classNames={{ input: 'mono' }} autosize minRows={4} maxRows={14} required withAsterisk={false} data-autofocus />
        <TextInput label="For how long" name="ttl" description="Such as 36h or 7d; empty: for good" />
        <TextInput label="Note" name="note" description="Why they are in it" />
      </Ask>
    </Page>
  ); // prettier-ignore
}

const columns: Column<ListEntry>[] = [
  { id: 'value', header: 'Value', width: 'minmax(180px, 1.4fr)', cell: (e) => <span className="mono" title={visible(e.value)}>{visible(e.value)}</span> },
  { id: 'until', header: 'Counts until', width: 'minmax(130px, 0.8fr)', cell: (e) => (e.ended ? <Badge tone="warn">ended</Badge> : e.expiresAt ? <span title={new Date(millis(e.expiresAt)).toISOString()}>{left(millis(e.expiresAt), Date.now())}</span> : <span className="dim">for good</span>) },
  { id: 'origin', header: 'Put in by', width: 'minmax(130px, 1fr)', cell: (e) => (e.origin.startsWith('rule:') ? <span><Badge>rule</Badge> <span className="mono">{visible(e.origin.slice(5))}</span></span> : visible(e.origin)) },
  { id: 'note', header: 'Note', width: 'minmax(130px, 1.2fr)', cell: (e) => <span className="dim" title={visible(e.note)}>{visible(e.note)}</span> },
  { id: 'at', header: 'Since', width: '110px', end: true, cell: (e) => <span className="dim"><Age at={millis(e.addedAt)} ago /></span> },
]; // prettier-ignore

function About({ list: l }: { list: List }) {
  return (
    <p className={css.about}>
      {l.tenant ? <OrganizationName id={l.tenant} /> : <Badge>all organizations</Badge>}
      <span>{groupWord(l.group)}</span>
      <span>compared: {kindWord(l.kind)}</span>
      {l.evicted > 0n && <span className={css.warn}>{count(l.evicted)} gave way because it was full</span>}
      <span>
        changed <Age at={millis(l.changedAt)} ago />
        {l.changedBy && ` by ${visible(l.changedBy)}`}
      </span>
      {l.description && <span>{visible(l.description)}</span>}
    </p>
  ); // prettier-ignore
}
