// Who and what it is about; which other incidents have to do with the same; and all of that as a graph.

import { SegmentedControl, Skeleton } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useMemo } from 'react';
import { useParams } from '../app/params';
import { plural } from '../ui/age';
import { CopyButton } from '../ui/Copy';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { aboutOf, keyOf, kindTitles, othersOf } from './entities';
import { graphOf } from './graph';
import css from './incident.module.css';
import { RelatedTable } from './Similar';
import type { ViewProps } from './useIncidentPage';

const Graph = lazy(() => import('./Graph'));

const entityParams = { entity: '', as: 'graph' };

export function Entities({ page, loaded: { row } }: ViewProps) {
  const [params, set] = useParams(entityParams);
  const navigate = useNavigate();
  const about = useMemo(() => aboutOf(row.incident), [row.incident]);
  const others = useMemo(() => othersOf(page.related), [page.related]);
  const graph = useMemo(() => graphOf(row, about, page.related), [row.id, row.title, row.severity, about, page.related]);
  const chosen = about.find((e) => keyOf(e) === params.entity);
  const shown = chosen ? (others.get(keyOf(chosen)) ?? []) : page.related.filter((r) => r.shared.length > 0);
  const open = (kind: string, target: string) => {
    if (kind === 'entity') set({ entity: target === params.entity ? '' : target });
    else if (kind === 'incident') void navigate({ to: '/incidents/$id', params: { id: target } as never });
  };
  return (
    <div className={css.entities}>
      <ul className={css.entityList} aria-label="Entities of the incident">
        {about.map((e) => {
          const n = others.get(keyOf(e))?.length ?? 0;
          return (
            <li key={keyOf(e)} data-on={e === chosen || undefined}>
              <button type="button" aria-pressed={e === chosen} onClick={() => set({ entity: e === chosen ? '' : keyOf(e) })}>
                <span className="dim">{kindTitles[e.kind] ?? e.kind}</span>
                <span className="mono cut" title={`${e.field}: ${visible(e.value)}`}>
                  {visible(e.value)}
                </span>
                <span className="dim number">{n === 0 ? 'no other incident' : plural(n, 'other incident')}</span>
              </button>
              <CopyButton text={e.value} what={e.kind} />
            </li>
          );
        })}
        {about.length === 0 && <li className="dim">The rule groups by nothing, and its events name no host, user, address or hash.</li>}
      </ul>
      <div className={css.entityMain}>
        <div className={css.entityHead}>
          <h2>{chosen ? <>Other incidents of {chosen.kind} <span className="mono">{visible(chosen.value)}</span></> : 'Other incidents of these entities'}</h2>
          <span className={css.spring} />
          <SegmentedControl aria-label="How they are shown" value={params.as} onChange={(as) => set({ as })} data={[{ value: 'graph', label: 'Graph' }, { value: 'table', label: 'Table' }]} />
        </div>
        {page.relatedError && <ErrorBox error={page.relatedError} doing="Look for other incidents" />}
        {params.as === 'graph' && (
          <Suspense fallback={<Skeleton height="100%" />}>
            <Graph nodes={graph.nodes} edges={graph.edges} chosen={chosen ? keyOf(chosen) : row.id} open={open} />
            {graph.left > 0 && <p className="dim">{plural(graph.left, 'more incident')} in the table.</p>}
          </Suspense>
        )}
        {params.as === 'table' && <RelatedTable related={shown} empty={chosen ? `No other incident has to do with this ${chosen.kind}.` : 'No other incident has to do with any of them.'} />}
      </div>
    </div>
  );
}
