import { Button, Loader } from '@mantine/core';
import { useElementSize, useLocalStorage } from '@mantine/hooks';
import { IconBuilding, IconFilterOff, IconShieldCheck } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useMemo, useRef, useState } from 'react';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import { useLive } from '../live/live';
import type { Row } from '../live/row';
import { type Asking, Dialogs } from '../triage/Dialogs';
import { count, plural } from '../ui/age';
import { Keys } from '../ui/Keys';
import { notice } from '../ui/notice';
import { Page, Spring, useTitle } from '../ui/Layout';
import { SplitPane } from '../ui/SplitPane';
import { EmptyState } from '../ui/States';
import { VirtualTable } from '../ui/VirtualTable';
import { useAnnouncement } from './announce';
import { Bulk } from './Bulk';
import { columns } from './columns';
import { commandsOf } from './commands';
import { DemoMenu, useDemo } from './Demo';
import { Detail } from './Detail';
import { Facets } from './Facets';
import { FirstMinute } from './FirstMinute';
import css from './queue.module.css';
import { Toolbar } from './Toolbar';
import { type Queue as State, useQueue } from './useQueue';
import { builtIn, full, same } from './views';

export default function Queue() {
  const queue = useQueue();
  const session = useSession();
  const demo = useDemo();
  const [asking, ask] = useState<Asking>();
  const [pane, setPane] = useLocalStorage({ key: 'vedette.queue.pane', defaultValue: false, getInitialValueInEffect: false });
  const [seen, setSeen] = useLocalStorage({ key: 'vedette.first-incident', defaultValue: false, getInitialValueInEffect: false });
  const search = useRef<HTMLInputElement>(null);
  const commands = commandsOf(queue, session.user.name, ask);
  const { shown, row } = queue;
  const open = (r: Row) => {
    setSeen(true);
    queue.open(r);
  };
  useTitle(shown.waiting > 0 ? `▲ ${shown.waiting} · Queue` : 'Queue');
  useKeys(queue, {
    open: () => row && open(row),
    pane: () => setPane(!pane),
    search: () => search.current?.select(),
    escape: () => (pane && row && queue.selected.size === 0 ? setPane(false) : queue.clear()),
    commands: commands.map(({ keys, label, whyNot, run }) => {
      const why = session.whyNot('incidents.work') || whyNot;
      return { keys, label, run: why ? () => void notice(why) : run };
    }),
  });
  return (
    <Page
      flush
      title={
        <>
          Queue <span className={css.total}>{count(shown.total)}</span>
        </>
      }
      actions={
        <>
          <Toolbar queue={queue} search={search} />
          <Spring />
          {demo.data && demo.tenants.size > 0 && <DemoMenu data={demo.data} refetch={demo.refetch} />}
        </>
      }
    >
      <div className={css.body}>
        <FirstMinute seen={seen} canSee={queue.first !== undefined} see={() => queue.first && open(queue.first)} />
        <Missed />
        <div className={css.work}>
          <aside className={css.facets} aria-label="Filters">
            <Facets queue={queue} />
          </aside>
          <SplitPane
            name="queue"
            label="the summary"
            initial={400}
            pane={pane && row ? <Detail row={row} commands={commands} open={() => open(row)} close={() => setPane(false)} /> : null}
          >
            <div className={css.list}>
              <List queue={queue} demo={demo.tenants} open={open} show={() => setPane(true)} />
              <Bulk queue={queue} commands={commands} />
            </div>
          </SplitPane>
        </div>
      </div>
      <Dialogs asking={asking} close={() => ask(undefined)} desk={queue} />
    </Page>
  );
}

interface Doing {
  open: () => void;
  pane: () => void;
  search: () => void;
  escape: () => void;
  commands: { keys: string; label: string; run: () => void }[];
}

function useKeys(queue: State, doing: Doing): void {
  useHotkeys('Move', [
    { keys: 'j', label: 'Next incident', run: () => queue.move(1) },
    { keys: 'k', label: 'Previous incident', run: () => queue.move(-1) },
    { keys: 'x', label: 'Select', run: () => queue.row && queue.toggle(queue.row.id) },
    { keys: 'shift+j', label: 'Select down', run: () => queue.move(1, true) },
    { keys: 'shift+k', label: 'Select up', run: () => queue.move(-1, true) },
    { keys: 'mod+a', label: 'Select all that match', run: queue.selectAll },
    { keys: 'o', label: 'Summary beside the list', run: doing.pane },
    { keys: 'Enter', label: 'Open the incident', run: doing.open },
    { keys: '.', label: 'Show new ones', run: queue.showWaiting },
    { keys: '/', label: 'Filter by text', run: doing.search },
    { keys: 'Escape', label: 'Let go of the list', run: doing.escape },
  ]);
  useHotkeys('Triage', [...doing.commands, { keys: 'u', label: 'Undo', run: () => queue.undo() }]);
}

function List({ queue, demo, open, show }: { queue: State; demo: ReadonlySet<number>; open: (r: Row) => void; show: () => void }) {
  const { shown, selected, toggle, active, setActive, params, set, setPointer } = queue;
  const { all, selected: organization } = useOrganization();
  const { ref, width } = useElementSize();
  const global = all.length > 1 && !organization;
  const shape = useMemo(
    () => columns({ width, global, demo, toggle, isSelected: (id) => selected.has(id) }),
    [width, global, demo, toggle, selected],
  );
  const announcement = useAnnouncement(shown.waiting > 0 ? `${plural(shown.waiting, 'new incident')}` : '');
  const inView = useMemo(() => new Set(params.state), [params.state]);
  const descending = params.sort.startsWith('-');
  const by = params.sort.replace(/^-/, '');
  return (
    <div ref={ref} className={css.table} onPointerEnter={() => setPointer(true)} onPointerLeave={() => setPointer(false)}>
      {shown.waiting > 0 && (
        <button type="button" className={css.pill} onClick={queue.showWaiting}>
          <span>▲ {count(shown.waiting)} new</span>
          <Keys keys="." />
        </button>
      )}
      <span className="unseen" role="status">
        {announcement}
      </span>
      <VirtualTable
        label="Incidents"
        rows={shown.rows}
        keyOf={keyOf}
        columns={shape}
        active={active}
        onActive={setActive}
        onOpen={open}
        onClick={show}
        selected={selected}
        toneOf={(r) => (inView.has('any') || inView.has(r.state) ? undefined : 'done')}
        sort={{ by, descending }}
        onSort={(column) => set({ sort: by === column && descending ? column : `-${column}` })}
        onScroll={queue.onScroll}
        handle={queue.table}
        empty={<Empty queue={queue} />}
      />
    </div>
  );
}

const keyOf = (r: Row): string => r.id;

function Empty({ queue }: { queue: State }) {
  const { loading, params, set } = queue;
  const { all, loaded } = useOrganization();
  if (loaded && all.length === 0) {
    return (
      <EmptyState
        icon={<IconBuilding size={28} />}
        title="No organization yet"
        actions={
          <Button variant="default" component={Link} to="/access">
            Organizations and users
          </Button>
        }
      >
        Records, incidents and modules belong to an organization. Make one, then send its logs.
      </EmptyState>
    );
  }
  if (loading) return <EmptyState icon={<Loader size="sm" />} title="Loading incidents" />;
  if (same(builtIn[0]!, params)) {
    return (
      <EmptyState icon={<IconShieldCheck size={28} />} title="No open incidents">
        New ones appear here by themselves. “Resolved today” has what is done; Sources says whether logs arrive.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={<IconFilterOff size={28} />}
      title="No incident matches"
      actions={
        <Button variant="default" onClick={() => set(full({ name: '', params: { state: ['any'] } }), { push: true })}>
          Show all incidents
        </Button>
      }
    >
      Nothing has all that the filters and the text ask for.
    </EmptyState>
  );
}

// Missed says that this browser could not keep up, or that what it knew was too old. What is shown is the latest.
function Missed() {
  const { incidents } = useLive();
  const { missed, gaps } = incidents;
  if (missed === 0 && gaps.size === 0) return null;
  return (
    <p className={css.missed} role="status">
      {missed > 0
        ? `This page could not keep up: ${plural(missed, 'change')} were folded into later ones. What you see is the latest.`
        : 'The connection was away for longer than changes are kept. The list was loaded anew; nothing is missing.'}
      <Button size="compact-xs" variant="default" onClick={() => incidents.seen()}>
        Dismiss
      </Button>
    </p>
  );
}
