// What there is to install: the host's own registry, the organization's, and what the remote one lists.

import { Button, SegmentedControl, TextInput } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { IconPackages, IconSearch, IconShieldCheck } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useMemo, useRef } from 'react';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { useSession } from '../app/session';
import { plural } from '../ui/age';
import { Badge } from '../ui/Badge';
import { Page, Spring, useTitle } from '../ui/Layout';
import { SplitPane } from '../ui/SplitPane';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Column, VirtualTable } from '../ui/VirtualTable';
import css from './catalogue.module.css';
import { ConformanceBadge } from './Conformance';
import { Detail } from './Detail';
import { type Entry, entries, select, sorted, updateOf, versionOf } from './packages';
import { usePackages, useWhose } from './usePackages';
import { StandingBadge, TrustBadge } from './Verdict';

const defaults = { kind: '', text: '', sort: 'module', at: '' };
const refresh = 15_000; // ms

export default function Catalogue() {
  useTitle('Catalogue');
  const [params, set] = useParams(defaults);
  const { name } = useOrganization();
  const { can } = useSession();
  const search = useRef<HTMLInputElement>(null);
  const tenant = useWhose();
  const { ref, width } = useElementSize();
  const listed = useMemo(() => columnsOf(width > 900), [width]);
  const { data, error, isPending, refetch } = usePackages(tenant, refresh);
  const all = useMemo(() => entries(data?.packages ?? []), [data]);
  const shown = useMemo(() => sorted(select(all, params), params.sort), [all, params]);
  const active = shown.find((e) => e.module === params.at);
  const step = (by: number) => {
    const at = shown.findIndex((e) => e.module === params.at);
    set({ at: shown[Math.max(0, Math.min(shown.length - 1, at + by))]?.module ?? '' });
  };
  useHotkeys('Catalogue', [
    { keys: 'j', label: 'Next module', run: () => step(1) },
    { keys: 'k', label: 'Module before', run: () => step(-1) },
    { keys: '/', label: 'Filter', run: () => search.current?.select() },
    { keys: 'Escape', label: 'Close the details', run: () => set({ at: '' }) },
  ]);
  return (
    <Page
      flush
      title="Catalogue"
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
            aria-label="Filter the catalogue"
            placeholder="Name or title"
            leftSection={<IconSearch size={14} aria-hidden="true" />}
            value={params.text}
            onChange={(e) => set({ text: e.currentTarget.value })}
          />
          <span className="dim">{tenant ? `What ${visible(name(tenant))} can install` : 'What all organizations share'}</span>
          <Spring />
          {can('global.change') && (
            <Button variant="default" leftSection={<IconShieldCheck size={14} aria-hidden="true" />} renderRoot={(props) => <Link {...props} to="/trust" />}>
              Trust
            </Button>
          )}
        </>
      }
    >
      {error && !data ? (
        <div className={css.fault}>
          <ErrorBox error={error} doing="Load the catalogue" retry={() => void refetch()} />
        </div>
      ) : (
        <SplitPane name="catalogue" label="the module’s details" initial={500} pane={active ? <Detail key={active.module} entry={active} tenant={tenant ?? 0} close={() => set({ at: '' })} /> : null}>
          <div ref={ref} className={css.list}>
            <VirtualTable
              label="Catalogue"
              rows={shown}
              keyOf={keyOf}
              columns={listed}
              active={params.at || undefined}
              onActive={(at) => set({ at })}
              toneOf={toneOf}
              sort={{ by: params.sort.replace(/^-/, ''), descending: params.sort.startsWith('-') }}
              onSort={(by) => set({ sort: params.sort === by ? `-${by}` : by })}
              empty={
                isPending ? undefined : (
                  <EmptyState icon={<IconPackages size={28} stroke={1.4} aria-hidden="true" />} title={all.length > 0 ? 'No module matches' : 'The registry is empty'}>
                    {all.length > 0 ? 'Change the filter.' : 'vedette module publish --to puts a module here, and so does any client of OCI registries.'}
                  </EmptyState>
                )
              }
            />
          </div>
        </SplitPane>
      )}
    </Page>
  ); // prettier-ignore
}

const keyOf = (e: Entry) => e.module;
const toneOf = (e: Entry) => (e.newest.standing === 'revoked' || e.newest.standing === 'yanked' ? 'done' : undefined);

// columnsOf leaves out what a narrow list has no room for: the details say it.
const columnsOf = (wide: boolean): Column<Entry>[] => columns.filter((c) => wide || !secondary.has(c.id));

const secondary = new Set(['kind', 'capabilities', 'runs']);

const columns: Column<Entry>[] = [
  {
    id: 'module', header: 'Module', width: 'minmax(170px, 2fr)', sortable: true,
    cell: (e) => (
      <span className={css.name} title={visible(e.newest.title)}>
        <span className="mono cut">{visible(e.module)}</span>
        <StandingBadge standing={e.newest.standing} reason={e.newest.reason} />
      </span>
    ),
  },
  { id: 'kind', header: 'Kind', width: '66px', sortable: true, cell: (e) => <span className="dim">{e.newest.kind || '?'}</span> },
  {
    id: 'newest', header: 'Newest', width: 'minmax(118px, 0.8fr)',
    cell: (e) => (
      <span className={css.name}>
        <span className="number">{visible(versionOf(e.newest))}</span>
        {e.newest.channels.map((c) => <Badge key={c} tone="accent" title={`The channel ${c} of the signed index names it`}>{visible(c)}</Badge>)}
      </span>
    ),
  },
  { id: 'trust', header: 'Trust', width: '88px', cell: (e) => <TrustBadge of={e.newest} /> },
  { id: 'conformance', header: 'ABI', width: '96px', sortable: true, cell: (e) => <ConformanceBadge conformance={e.newest.conformance} /> },
  { id: 'capabilities', header: 'Asks for', width: 'minmax(80px, 1fr)', cell: (e) => <span className="dim cut" title={e.newest.capabilities.join(', ')}>{visible(e.newest.capabilities.join(', ')) || 'nothing'}</span> },
  { id: 'runs', header: 'Runs for', width: '110px', sortable: true, cell: (e) => (e.runs > 0 ? plural(e.runs, 'organization') : <span className="dim">nobody</span>) },
  { id: 'running', header: 'Running', width: '120px', cell: (e) => <Running entry={e} /> },
]; // prettier-ignore

function Running({ entry }: { entry: Entry }) {
  const { running } = entry;
  if (!running) return <span className="dim">–</span>;
  const update = updateOf(entry, running.digest);
  return (
    <span className="number">
      {visible(versionOf(running))}
      {update && <span className={css.update} title={`${visible(update.version)} is ${update.channel ? `what the channel ${update.channel} names` : 'the newest release'}`}> → {visible(update.version)}</span>}
    </span>
  ); // prettier-ignore
}
