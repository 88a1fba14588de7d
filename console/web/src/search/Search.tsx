// The search page: a query, when, what was found, and what can be asked next.

import { ActionIcon, Button, Switch, Tooltip } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconFilter, IconPlayerPlay, IconZoomOut } from '@tabler/icons-react';
import { lazy, Suspense, useCallback, useMemo, useRef, useState } from 'react';
import { useHotkeys } from '../app/keys';
import { EventFlyout } from '../event';
import type { Event } from '../gen/vedette/v1/event_pb';
import { Keys } from '../ui/Keys';
import { Page, useTitle } from '../ui/Layout';
import { visible } from '../ui/text';
import { columnsOf } from './columns';
import { Facets } from './Facets';
import { Histogram } from './Histogram';
import { Live } from './Live';
import type { EditorHandle } from './QueryEditor';
import { Results } from './Results';
import { history } from './saved';
import css from './search.module.css';
import { Searches } from './Searches';
import { TimePicker } from './TimePicker';
import { type SearchPage, useSearchPage } from './useSearchPage';

const QueryEditor = lazy(() => import('./QueryEditor'));

export default function Search() {
  const page = useSearchPage();
  const { params, set, asked, result, run } = page;
  const editor = useRef<EditorHandle>(null);
  const [sides, setSides] = useLocalStorage({ key: 'vedette.search.facets', defaultValue: true, getInitialValueInEffect: false });
  const [passed, setPassed] = useState<Event>(); // opened in live mode: the store may not have it yet
  useTitle(params.q ? `${visible(params.q.slice(0, 60))} · Search` : 'Search');
  useHotkeys('Search', [
    { keys: '/', label: 'Edit the query', run: () => editor.current?.focus() },
    { keys: 'mod+Enter', label: 'Search', run: () => run(), always: true },
    { keys: 'l', label: 'Live mode on or off', run: () => set({ live: !params.live }, { push: true }) },
    { keys: 'f', label: 'Show or hide the values', run: () => setSides(!sides) },
  ]);
  const openEvent = useCallback((event: string) => set({ event }), [set]);
  const ids = useMemo(() => (params.live ? [] : result.rows.map((e) => e.id)), [params.live, result.rows]);
  const shown = params.live ? passed : result.rows.find((e) => e.id === params.event);
  return (
    <Page
      flush
      title="Search"
      actions={
        <>
          <span className={css.spring} />
          <Tooltip label={<>Values to choose from <Keys keys="f" /></>}>
            <ActionIcon size={28} variant={sides && !params.live ? 'light' : 'subtle'} color={sides ? 'watch' : 'gray'} aria-label="Values to choose from" aria-pressed={sides} disabled={params.live} onClick={() => setSides(!sides)}>
              <IconFilter size={15} />
            </ActionIcon>
          </Tooltip>
          <Switch label="Live" checked={params.live} onChange={(e) => set({ live: e.currentTarget.checked, event: '' }, { push: true })} className={css.liveSwitch} />
          <When page={page} />
        </>
      }
    >
      <div className={css.page}>
        <div className={css.query}>
          <Searches params={params} draft={page.draft} onOpen={(s) => run(s)} />
          <div className={css.editor}>
            <Suspense>
              <QueryEditor value={page.draft} onChange={page.setDraft} onRun={() => run()} problem={page.problem} source={page.source} past={history} handle={editor} />
            </Suspense>
            {page.problem && (
              <p className={css.problem} role="status">
                {page.problem.message}
              </p>
            )}
          </div>
          <Button size="sm" h={32} leftSection={<IconPlayerPlay size={14} aria-hidden="true" />} onClick={() => run()} title="Enter">
            Search
          </Button>
        </div>
        <div className={css.body}>
          {params.live ? (
            <Live
              text={params.q}
              columns={columnsOf(params.cols)}
              zone={params.zone}
              active={params.event}
              onOpen={(e) => {
                setPassed(e);
                set({ event: e.id });
              }}
            />
          ) : (
            <div className={css.work}>
              {sides && (
                <aside className={css.facets} aria-label="Values to choose from">
                  <Facets asked={asked} result={result} text={page.draft} onFilter={page.filter} />
                </aside>
              )}
              <div className={css.found}>
                <Histogram
                  asked={asked}
                  result={result}
                  by={params.by}
                  zone={params.zone}
                  onBy={(by) => set({ by })}
                  onBrush={(from, to) => run({ from: new Date(from).toISOString(), to: new Date(to).toISOString() })}
                />
                <Results page={page} open={openEvent} />
              </div>
            </div>
          )}
        </div>
        {params.event && (
          <EventFlyout
            eventId={params.event}
            ids={ids}
            event={shown}
            onChange={(event) => set({ event })}
            onClose={() => set({ event: '' })}
            onFilter={({ field, value, exclude = false }) => page.filter({ field, value, exclude })}
          />
        )}
      </div>
    </Page>
  );
}

// When also widens the time again after the histogram has narrowed it.
function When({ page }: { page: SearchPage }) {
  const { params, set, asked, run } = page;
  const widen = () => {
    const to = asked.to ?? Date.now();
    const half = (to - asked.from) / 2;
    run({ from: new Date(asked.from - half).toISOString(), to: to + half > Date.now() ? '' : new Date(to + half).toISOString() });
  };
  if (params.live) return null;
  return (
    <>
      <Tooltip label="Twice as much time">
        <ActionIcon size={28} aria-label="Search twice as much time" onClick={widen}>
          <IconZoomOut size={15} />
        </ActionIcon>
      </Tooltip>
      <TimePicker value={params} onChange={(when) => (Object.keys(when).join() === 'zone' ? set(when) : run(when))} />
    </>
  );
}
