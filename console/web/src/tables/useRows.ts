// The rows of a table, as far as somebody has scrolled.

import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { tables } from '../api/clients';

const portion = 500;

export interface Line {
  readonly key: string;
  readonly cells: readonly string[];
}

export function useRows(tenant: number, name: string, text: string) {
  const query = useInfiniteQuery({
    queryKey: ['table rows', tenant, name, text],
    queryFn: ({ pageParam, signal }) => tables.getTable({ name, tenant, text, offset: BigInt(pageParam), limit: portion }, { signal }),
    initialPageParam: 0,
    getNextPageParam: (last, _, from) => (from + last.rows.length < Number(last.matches) && last.rows.length > 0 ? from + last.rows.length : undefined),
    placeholderData: (before) => before,
  });
  const pages = query.data?.pages;
  const lines = useMemo(() => pages?.flatMap((p) => p.rows).map((r, i): Line => ({ key: String(i), cells: r.cells })) ?? [], [pages]);
  return { ...query, lines, table: pages?.at(-1)?.table, matches: Number(pages?.at(-1)?.matches ?? 0) };
}
