import { Button, SegmentedControl } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { IconRadar2 } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { Age, useNow } from '../ui/Age';
import { count } from '../ui/age';
import { Badge, OrganizationName } from '../ui/Badge';
import { SplitPane } from '../ui/SplitPane';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Column, VirtualTable } from '../ui/VirtualTable';
import { span } from './duration';
import css from './monitors.module.css';
import { defaults } from './params';
import { matesOf, type Row, select, sorted, tones, words } from './rows';
import { useWatches } from './useMonitors';
import { Watch } from './Watch';

export function Watches() {
  const [params, set] = useParams(defaults);
  const { all, selected } = useOrganization();
  const { rows, error, isPending, refetch } = useWatches();
  const { ref, width } = useElementSize();
  const shown = useMemo(() => sorted(select(rows, { show: params.only, text: params.text }), params.sort), [rows, params]);
  const global = all.length > 1 && !selected;
  const columns = useMemo(() => columnsOf(global, width), [global, width]);
  const active = rows.find((r) => r.key === params.at);
  const failing = rows.filter((r) => r.health === 'failing').length;
  const step = (by: number) => {
    const at = shown.findIndex((r) => r.key === params.at);
    const next = shown[Math.max(0, Math.min(shown.length - 1, at + by))];
    if (next) set({ at: next.key });
  };
  useHotkeys('Watches', [
    { keys: 'j', label: 'Next watch', run: () => step(1) },
    { keys: 'k', label: 'Watch before', run: () => step(-1) },
  ]);
  if (error) return <div className={css.error}><ErrorBox error={error} doing="Load the watches" retry={() => void refetch()} /></div>; // prettier-ignore
  return (
    <SplitPane name="watches" label="the watch’s details" initial={430} pane={active ? <Watch key={active.key} row={active} mates={matesOf(active, rows)} changed={refetch} close={() => set({ at: '' })} /> : null}>
      <div ref={ref} className={css.listed}>
        {rows.length > 0 && (
          <div className={css.bar}>
            <SegmentedControl
              aria-label="Which watches"
              value={params.only}
              onChange={(only) => set({ only })}
              data={[{ value: '', label: `All ${count(rows.length)}` }, { value: 'failing', label: `Failing ${count(failing)}` }]}
            />
          </div>
        )}
        <div className={css.grow}>
          <VirtualTable
            label="Watches"
            rows={shown}
            keyOf={keyOf}
            columns={columns}
            active={params.at || undefined}
            onActive={(at) => set({ at })}
            toneOf={toneOf}
            sort={{ by: params.sort.replace(/^-/, ''), descending: params.sort.startsWith('-') }}
            onSort={(by) => set({ sort: params.sort === by ? `-${by}` : by })}
            empty={isPending ? undefined : <Empty none={rows.length === 0} />}
          />
        </div>
      </div>
    </SplitPane>
  ); // prettier-ignore
}

const keyOf = (r: Row) => r.key;
const toneOf = (r: Row) => (r.health === 'off' ? 'done' : undefined);

function Empty({ none }: { none: boolean }) {
  if (!none) return <EmptyState title="No watch matches">Change the filter to see the others.</EmptyState>;
  return (
    <EmptyState
      icon={<IconRadar2 size={28} stroke={1.4} aria-hidden="true" />}
      title="Nothing is watched yet"
      actions={<Button renderRoot={(props) => <Link {...props} to="/monitors/new" />}>Watch a device</Button>}
    >
      A watch polls a device: a web service, a certificate, a switch over SNMP, a configuration over SSH. What it finds comes in as events.
    </EmptyState>
  );
}

function columnsOf(global: boolean, width: number): Column<Row>[] {
  const wide = width > 780;
  const columns: (Column<Row> | false)[] = [
    { id: 'state', header: 'State', width: '86px', sortable: true, cell: (r) => <Badge {...(tones[r.health] ? { tone: tones[r.health]! } : {})} title={visible(r.error)}>{words[r.health]}</Badge> },
    { id: 'id', header: 'Watch', width: 'minmax(110px, 1.2fr)', sortable: true, cell: (r) => <span className="cut" title={visible(r.id)}>{visible(r.id)}</span> },
    { id: 'device', header: 'Device', width: 'minmax(90px, 1fr)', sortable: true, cell: (r) => <span className="cut" title={visible(r.devices.join(', '))}>{visible(r.devices.join(', '))}</span> },
    wide && { id: 'module', header: 'Monitor', width: 'minmax(110px, 1fr)', sortable: true, cell: (r) => <span className="mono dim">{visible(r.module)}</span> },
    global && { id: 'org', header: 'Organization', width: 'minmax(96px, 0.9fr)', cell: (r) => <OrganizationName id={r.tenant} /> },
    { id: 'last', header: 'Last poll', width: '84px', end: true, sortable: true, cell: (r) => <Age at={r.last} short /> },
    wide && { id: 'next', header: 'Next', width: '74px', end: true, cell: (r) => <Due at={r.next} /> },
    { id: 'interval', header: 'Every', width: '64px', end: true, sortable: true, cell: (r) => (r.interval ? span(r.interval) : <span className="dim">–</span>) },
    { id: 'took', header: 'Took', width: '68px', end: true, sortable: true, cell: (r) => (r.polls ? `${count(r.took)} ms` : <span className="dim">–</span>) },
    wide && { id: 'failures', header: 'Failed', width: '84px', end: true, sortable: true, cell: (r) => <span className={r.failures ? undefined : 'dim'} title={`${count(r.failures)} of ${count(r.polls)} polls failed`}>{count(r.failures)} / {count(r.polls)}</span> },
  ]; // prettier-ignore
  return columns.filter((c) => c !== false);
}

// Due says how long it is until a moment in milliseconds.
export function Due({ at }: { at: number }) {
  const now = useNow();
  if (!at) return <span className="dim">–</span>;
  const left = Math.max(0, at - now);
  return <span title={new Date(at).toLocaleString()}>{left < 1_000 ? 'now' : `in ${span(Math.ceil(left / 1_000) * 1_000).split(' ').slice(0, 2).join(' ')}`}</span>;
}
