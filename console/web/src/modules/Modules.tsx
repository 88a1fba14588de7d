// What runs where.

import { useQuery } from '@connectrpc/connect-query';
import { Button, SegmentedControl, TextInput } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { IconBiohazard, IconChecklist, IconPlus, IconSearch, IconUrgent } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useRef } from 'react';
import { useWaiting } from '../admission/useWaiting';
import { useUpdates } from '../catalogue';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { useSession } from '../app/session';
import { DemoService } from '../gen/vedette/v1/demo_pb';
import { ModuleService } from '../gen/vedette/v1/module_pb';
import { count } from '../ui/age';
import { Page, Spring, useTitle } from '../ui/Layout';
import { SplitPane } from '../ui/SplitPane';
import { EmptyState, ErrorBox } from '../ui/States';
import { VirtualTable } from '../ui/VirtualTable';
import { columnsOf } from './columns';
import { Detail } from './Detail';
import css from './modules.module.css';
import { pageOf, type Row, select, sorted } from './rows';
import { useSwitch } from './useSwitch';

const defaults = { kind: '', text: '', sort: 'name', at: '' };
const refresh = 3_000; // ms

export default function Modules() {
  useTitle('Modules');
  const [params, set] = useParams(defaults);
  const { tenants, all, selected } = useOrganization();
  const { can } = useSession();
  const navigate = useNavigate();
  const search = useRef<HTMLInputElement>(null);
  const { ref, width } = useElementSize();
  const { data, error, isPending, refetch } = useQuery(ModuleService.method.listModules, { tenants }, { refetchInterval: refresh });
  const demo = useQuery(DemoService.method.getDemo, {}, { retry: false });
  const quarantine = useQuery(ModuleService.method.listQuarantine, { tenants, limit: 1_000 }, { enabled: can('modules.change'), staleTime: 10_000 });

  const tenant = selected?.id;
  const shown = useMemo(
    () => sorted(select(data?.modules ?? [], { kind: params.kind, text: params.text, tenant }), params.sort),
    [data, params.kind, params.text, params.sort, tenant],
  );
  const { why, switchTo } = useSwitch(refetch);
  const global = all.length > 1;
  const updates = useUpdates();
  const columns = useMemo(
    () => columnsOf({ global, width, whyNot: why, switchTo: (r, on) => void switchTo(r, on), updates }),
    [global, width, why, switchTo, updates],
  );
  const active = shown.find((r) => r.key === params.at);
  const step = (by: number) => {
    const at = shown.findIndex((r) => r.key === params.at);
    set({ at: shown[Math.max(0, Math.min(shown.length - 1, at + by))]?.key ?? '' });
  };
  useHotkeys('Modules', [
    { keys: 'j', label: 'Next module', run: () => step(1) },
    { keys: 'k', label: 'Module before', run: () => step(-1) },
    { keys: '/', label: 'Filter', run: () => search.current?.select() },
    { keys: 'n', label: 'New parser', run: () => void navigate({ to: '/modules/new' }) },
    { keys: 'p', label: 'Approvals', run: () => void navigate({ to: '/modules/approvals' }) },
    { keys: 'q', label: 'Quarantine', run: () => void navigate({ to: '/modules/quarantine' }) },
    { keys: 'Escape', label: 'Close the details', run: () => set({ at: '' }) },
  ]);
  const waiting = useWaiting();
  const held = quarantine.data?.records.length ?? 0;
  return (
    <Page
      flush
      title="Modules"
      actions={
        <>
          <SegmentedControl
            aria-label="Kind"
            value={params.kind}
            onChange={(kind) => set({ kind })}
            data={[{ value: '', label: 'All' }, { value: 'parser', label: 'Parsers' }, { value: 'rule', label: 'Rules' }, { value: 'monitor', label: 'Monitors' }]}
          />
          <TextInput
            ref={search}
            aria-label="Filter modules"
            placeholder="Name or title"
            leftSection={<IconSearch size={14} aria-hidden="true" />}
            value={params.text}
            onChange={(e) => set({ text: e.currentTarget.value })}
          />
          <Spring />
          {demo.data?.present && can('tenants.change') && (
            <Button variant="default" leftSection={<IconBiohazard size={14} aria-hidden="true" />} renderRoot={(props) => <Link {...props} to="/modules/hostile" />}>
              Hostile modules
            </Button>
          )}
          <Button variant="default" leftSection={<IconChecklist size={14} aria-hidden="true" />} renderRoot={(props) => <Link {...props} to="/modules/approvals" />}>
            Approvals {waiting > 0 && count(waiting)}
          </Button>
          <Button variant="default" leftSection={<IconUrgent size={14} aria-hidden="true" />} renderRoot={(props) => <Link {...props} to="/modules/quarantine" />}>
            Quarantine {held > 0 && count(held)}
          </Button>
          <Button leftSection={<IconPlus size={14} aria-hidden="true" />} renderRoot={(props) => <Link {...props} to="/modules/new" />}>
            New parser
          </Button>
        </>
      }
    >
      {error && !data ? (
        <div className={css.error}>
          <ErrorBox error={error} doing="Load modules" retry={() => void refetch()} />
        </div>
      ) : (
        <SplitPane
          name="modules"
          label="the module’s details"
          initial={400}
          pane={active ? <Detail key={active.key} row={active} whyNot={why(active)} switchTo={(on) => void switchTo(active, on)} changed={() => void refetch()} close={() => set({ at: '' })} /> : null}
        >
          <div ref={ref} className={css.list}>
            <VirtualTable
              label="Modules"
              rows={shown}
              keyOf={keyOf}
              columns={columns}
              active={params.at || undefined}
              onActive={(at) => set({ at })}
              onOpen={(r) => void navigate(pageOf(r.module))}
              toneOf={toneOf}
              sort={{ by: params.sort.replace(/^-/, ''), descending: params.sort.startsWith('-') }}
              onSort={(by) => set({ sort: params.sort === by ? `-${by}` : by })}
              empty={isPending ? undefined : <EmptyState title="No module matches">Change the filter, or write a parser of your own.</EmptyState>}
            />
          </div>
        </SplitPane>
      )}
    </Page>
  );
}

const keyOf = (r: Row) => r.key;
const toneOf = (r: Row) => (r.module.enabled ? undefined : 'done');
