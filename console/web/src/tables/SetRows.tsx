// The indicators of one set, as far as somebody has scrolled.

import { Code, ConnectError } from '@connectrpc/connect';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Button, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconArrowLeft, IconSearch } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { lists } from '../api/clients';
import { useHotkeys } from '../app/keys';
import { useParams } from '../app/params';
import type { Indicator, IndicatorSet } from '../gen/vedette/v1/list_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { count, plural } from '../ui/age';
import { Badge, OrganizationName } from '../ui/Badge';
import { Page, Spring, useTitle } from '../ui/Layout';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Column, VirtualTable } from '../ui/VirtualTable';
import css from './tables.module.css';
import { counted, left, typeWord } from './words';

const defaults = { of: 0, name: '', text: '' };
const portion = 500;
const keyOf = (x: Indicator) => `${x.type} ${x.value}`;

export default function SetRows() {
  const [params, set] = useParams(defaults);
  const { of: tenant, name } = params;
  useTitle(name);
  const navigate = useNavigate();
  const [text] = useDebouncedValue(params.text.trim(), 200);
  const query = useInfiniteQuery({
    queryKey: ['indicators', tenant, name, text],
    queryFn: ({ pageParam, signal }) => lists.getIndicators({ name, tenant, text, offset: BigInt(pageParam), limit: portion }, { signal }),
    initialPageParam: 0,
    getNextPageParam: (last, _, from) => (from + last.indicators.length < Number(last.matches) && last.indicators.length > 0 ? from + last.indicators.length : undefined),
    placeholderData: (before) => before,
  });
  const pages = query.data?.pages;
  const rows = useMemo(() => pages?.flatMap((p) => p.indicators) ?? [], [pages]);
  const of = pages?.at(-1)?.set;
  const matches = Number(pages?.at(-1)?.matches ?? 0);
  const [active, setActive] = useState<string>();
  const step = (by: number) => {
    const next = rows[Math.max(0, Math.min(rows.length - 1, rows.findIndex((x) => keyOf(x) === active) + by))];
    if (next) setActive(keyOf(next));
  };
  useHotkeys('Indicators', [
    { keys: 'j', label: 'Next indicator', run: () => step(1) },
    { keys: 'k', label: 'Indicator before', run: () => step(-1) },
    { keys: 'Escape', label: 'Back to the sets', run: () => void navigate({ to: '/tables/indicators' as never }) },
  ]);
  return (
    <Page
      flush
      title={visible(name)}
      actions={
        <>
          <TextInput aria-label="Search the indicators" placeholder="Value, source or description" leftSection={<IconSearch size={14} aria-hidden="true" />} value={params.text} onChange={(e) => set({ text: e.currentTarget.value })} />
          {of && <span className="dim number" role="status">{text ? `${count(matches)} of ${plural(Number(of.indicators), 'indicator')}` : plural(Number(of.indicators), 'indicator')}</span>}
          <Spring />
          <Button variant="default" leftSection={<IconArrowLeft size={13} aria-hidden="true" />} renderRoot={(props) => <Link {...props} to={'/tables/indicators' as never} />}>
            Indicators
          </Button>
        </>
      }
    >
      {query.error && ConnectError.from(query.error).code === Code.NotFound ? (
        <EmptyState title="There is no such set">Its feed may not have been fetched yet, or it was removed.</EmptyState>
      ) : query.error ? (
        <div className={css.error}>
          <ErrorBox error={query.error} doing="Load the indicators" retry={() => void query.refetch()} />
        </div>
      ) : (
        <div className={css.rows}>
          {of && <About set={of} />}
          <div>
            <VirtualTable
              label="Indicators"
              rows={rows}
              keyOf={keyOf}
              columns={columns}
              active={active}
              onActive={setActive}
              onScroll={(top) => { if (query.hasNextPage && !query.isFetching && top > (rows.length - 60) * 34) void query.fetchNextPage(); }}
              empty={query.isPending ? undefined : <EmptyState title={text ? 'No indicator has that text' : 'The set is empty'}>{text ? 'Search for something else.' : 'Nothing of what its source says is an indicator.'}</EmptyState>}
            />
          </div>
        </div>
      )}
    </Page>
  ); // prettier-ignore
}

const columns: Column<Indicator>[] = [
  { id: 'type', header: 'Type', width: '112px', cell: (x) => <span className="dim">{typeWord(x.type)}</span> },
  { id: 'value', header: 'Value', width: 'minmax(220px, 2fr)', cell: (x) => <span className="mono" title={visible(x.value)}>{visible(x.value)}</span> },
  { id: 'confidence', header: 'Confidence', width: '96px', end: true, cell: (x) => (x.confidence < 0 ? <span className="dim">unrated</span> : `${x.confidence} %`) },
  { id: 'until', header: 'Counts until', width: 'minmax(120px, 0.7fr)', cell: (x) => (x.ended ? <Badge tone="warn">ended</Badge> : x.expiresAt ? <span title={new Date(millis(x.expiresAt)).toISOString()}>{left(millis(x.expiresAt), Date.now())}</span> : <span className="dim">for good</span>) },
  { id: 'source', header: 'Source', width: 'minmax(100px, 0.8fr)', cell: (x) => <span title={visible(x.source)}>{visible(x.source)}</span> },
  { id: 'text', header: 'Description', width: 'minmax(140px, 1.4fr)', cell: (x) => <span className="dim" title={visible(x.description)}>{visible(x.description)}</span> },
]; // prettier-ignore

function About({ set: s }: { set: IndicatorSet }) {
  return (
    <p className={css.about}>
      {s.tenant ? <OrganizationName id={s.tenant} /> : <Badge>all organizations</Badge>}
      <span>{counted(s.counts)}</span>
      {s.origin && <span className="mono">{visible(s.origin)}</span>}
      <span className="mono" title={s.digest}>{s.digest.replace('sha256:', '').slice(0, 12)}</span>
      <span>
        in force since <Age at={millis(s.setAt)} ago />
        {s.setBy && `, set by ${visible(s.setBy)}`}
      </span>
    </p>
  ); // prettier-ignore
}
