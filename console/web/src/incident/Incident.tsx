import { Button, Skeleton } from '@mantine/core';
import { Code, ConnectError } from '@connectrpc/connect';
import { Link, useParams as usePath } from '@tanstack/react-router';
import { type KeyboardEvent, useCallback, useMemo } from 'react';
import { useHotkeys } from '../app/keys';
import { useParams } from '../app/params';
import { EventFlyout } from '../event';
import { Page, useTitle } from '../ui/Layout';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { Entities } from './Entities';
import { Events } from './Events';
import { Headline } from './Headline';
import { History } from './History';
import css from './incident.module.css';
import { RuleText } from './RuleText';
import { Similar } from './Similar';
import { Summary } from './Summary';
import { Timeline } from './Timeline';
import { type IncidentPage, type Loaded, useIncidentPage } from './useIncidentPage';

const views = [
  { id: 'summary', label: 'Summary', Body: Summary },
  { id: 'timeline', label: 'Timeline', Body: Timeline },
  { id: 'entities', label: 'Entities', Body: Entities },
  { id: 'events', label: 'Events', Body: Events },
  { id: 'similar', label: 'Similar', Body: Similar },
  { id: 'history', label: 'History', Body: History },
  { id: 'rule', label: 'Rule', Body: RuleText },
];

const pageParams = { view: 'summary', event: '' };

export default function Incident() {
  const { id = '' } = usePath({ strict: false }) as { id?: string };
  const page = useIncidentPage(id);
  useTitle(page.row ? visible(page.row.title) : 'Incident');
  if (page.error) return <Missing error={page.error} retry={() => void page.refetch()} />;
  if (!page.loaded) return <Loading />;
  return <Body key={id} page={page} loaded={page.loaded} />;
}

function Body({ page, loaded }: { page: IncidentPage; loaded: Loaded }) {
  const [params, set] = useParams(pageParams);
  const view = views.find((v) => v.id === params.view) ?? views[0]!;
  const go = (to: string) => set({ view: to }, { push: true });
  const openEvent = useCallback((event: string) => set({ event }), [set]);
  const known = useMemo(() => loaded.data.explanation?.parts.flatMap((p) => p.events) ?? [], [loaded.data]);
  const ids = useMemo(() => loaded.row.incident.evidence.map((e) => e.eventId), [loaded.row]);
  useHotkeys('Views of the incident', views.map((v, i) => ({ keys: String(i + 1), label: v.label, run: () => go(v.id) })));
  return (
    <div className={css.page}>
      <Headline page={page} loaded={loaded} />
      <Tabs shown={view.id} go={go} counts={{ similar: page.related.length, events: ids.length, history: loaded.data.history.length }} />
      <div className={css.body} id="incident-view" role="tabpanel" aria-labelledby={`tab-${view.id}`} data-view={view.id} tabIndex={0}>
        <view.Body page={page} loaded={loaded} openEvent={openEvent} />
      </div>
      {params.event && view.id !== 'events' && (
        <EventFlyout
          eventId={params.event}
          ids={ids}
          event={known.find((e) => e.id === params.event)}
          rule={loaded.row.incident.rule}
          onChange={openEvent}
          onClose={() => set({ event: '' })}
        />
      )}
    </div>
  );
}

function Tabs({ shown, go, counts }: { shown: string; go: (view: string) => void; counts: Record<string, number> }) {
  const onKeyDown = (e: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!by) return;
    const at = views.findIndex((v) => v.id === shown);
    const to = views[(at + by + views.length) % views.length]!;
    go(to.id);
    document.getElementById(`tab-${to.id}`)?.focus();
    e.preventDefault();
  };
  return (
    <div className={css.tabs} role="tablist" aria-label="Views of the incident" onKeyDown={onKeyDown}>
      {views.map((v, i) => (
        <button
          key={v.id}
          id={`tab-${v.id}`}
          type="button"
          role="tab"
          aria-selected={v.id === shown}
          aria-controls="incident-view"
          tabIndex={v.id === shown ? 0 : -1}
          title={`Key ${i + 1}`}
          onClick={() => go(v.id)}
        >
          {v.label}
          {(counts[v.id] ?? 0) > 0 && <span className="number dim">{counts[v.id]}</span>}
        </button>
      ))}
    </div>
  );
}

function Missing({ error, retry }: { error: unknown; retry: () => void }) {
  const { code } = ConnectError.from(error);
  const toQueue = (
    <Button variant="default" renderRoot={(props) => <Link {...props} to="/queue" />}>
      Back to the queue
    </Button>
  );
  if (code === Code.NotFound || code === Code.InvalidArgument) {
    return (
      <Page title="Incident">
        <EmptyState title="There is no such incident" actions={toQueue}>
          Its number may be mistyped, or it belongs to an organization that you do not see.
        </EmptyState>
      </Page>
    );
  }
  return (
    <Page title="Incident">
      <div className={css.missing}>
        <ErrorBox error={error} doing="Load the incident" retry={retry} />
        {toQueue}
      </div>
    </Page>
  );
}

const Loading = () => (
  <div className={css.loading} aria-busy="true" aria-label="The incident is loading">
    <Skeleton height={26} width="55%" />
    <Skeleton height={40} />
    <Skeleton height={360} />
  </div>
);
