// The state of the search page: what the address asks for, the text that is being written, and the results of both.

import { useQuery } from '@connectrpc/connect-query';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { stepFor } from '../chart/stack';
import { EventService } from '../gen/vedette/v1/event_pb';
import { Source } from './completion';
import { split, toggle, type Wanted } from './edit';
import { type SearchParams, searchParams } from './params';
import type { Problem } from './QueryEditor';
import { type Asked, queryOf, Search } from './run';
import { remember } from './saved';
import { rangeOf } from './time';

export const rowLimit = 1_000;

export type SearchPage = ReturnType<typeof useSearchPage>;

export function useSearchPage() {
  const [params, set] = useParams(searchParams);
  const { tenants } = useOrganization();
  const [draft, setDraft] = useState(params.q);
  const [again, setAgain] = useState(0);
  const [limit, setLimit] = useState(rowLimit);
  const { q, range, from, to, live } = params;
  useEffect(() => setDraft(q), [q]);
  const who = tenants.join();
  const asked = useMemo(
    (): Asked => ({ text: q, tenants, limit, ...rangeOf({ range, from, to }, Date.now()) }),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- who stands for tenants; again asks for a new now
    [q, range, from, to, who, limit, again, live],
  );
  useEffect(() => setLimit(rowLimit), [q, range, from, to, who]);

  const [search] = useState(() => new Search());
  const result = useSyncExternalStore(search.subscribe, search.get);
  useEffect(() => {
    if (!live) void search.start(asked);
    else search.cancel();
  }, [search, asked, live]);
  useEffect(() => () => search.close(), [search]);

  const latest = useRef(asked);
  latest.current = asked;
  const [source] = useState(() => new Source(() => latest.current));

  // run goes to what is written; the same as before is asked again.
  const run = useCallback(
    (patch: Partial<SearchParams> = {}) => {
      const next = { q: draft.trim(), event: '', ...patch };
      remember(next.q);
      setDraft(next.q);
      setAgain((n) => n + 1);
      set(next, { push: true });
    },
    [draft, set],
  );
  const filter = useCallback((wanted: Wanted) => run({ q: toggle(draft, wanted) }), [draft, run]);
  return {
    params, set, draft, setDraft, asked, result, run, filter, source, problem: useProblem(draft), cancel: search.cancel,
    more: (n: number) => setLimit(n),
    table: split(params.q).pipes !== '' && (result.table || result.rows.length === 0),
  }; // prettier-ignore
}

// useProblem asks what is wrong with a text, a moment after it was written.
function useProblem(draft: string): Problem | undefined {
  const [text] = useDebouncedValue(draft, 400);
  const { data } = useQuery(EventService.method.checkQuery, { text }, { enabled: text.trim() !== '', staleTime: Infinity, retry: false });
  return useMemo(() => (data && !data.ok && text === draft ? { message: data.message, offset: data.offset } : undefined), [data, text, draft]);
}

// What is counted beside the rows is counted when they are there: the store runs few queries at once, and a search that
// is cancelled leaves none behind.
const counting = { staleTime: Infinity, retry: false, placeholderData: keepPreviousData } as const;

// useHistogram counts up to the moment of the search: without an end the host would count into the future.
export function useHistogram(asked: Asked, by: string, enabled: boolean) {
  const { query, step, end } = useMemo(() => {
    const now = asked.to ?? Date.now();
    const width = stepFor(now - asked.from);
    const to = asked.to ?? Math.ceil(now / width / 1_000) * width * 1_000;
    return { query: queryOf({ ...asked, to, limit: 0 }), step: width, end: to };
  }, [asked]);
  const { data, error, isFetching } = useQuery(
    EventService.method.histogram,
    { query, stepSeconds: step, by },
    { ...counting, enabled },
  );
  return { data, error, isFetching, step, end };
}

export const useFacets = (asked: Asked, enabled: boolean) => useQuery(EventService.method.facets, { query: queryOf({ ...asked, limit: 0 }), limit: 20 }, { ...counting, enabled });
