import { IconServer } from '@tabler/icons-react';
import { useMemo } from 'react';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { Age } from '../ui/Age';
import { count } from '../ui/age';
import { Badge, OrganizationName } from '../ui/Badge';
import { SplitPane } from '../ui/SplitPane';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Column, VirtualTable } from '../ui/VirtualTable';
import { Device } from './Device';
import { AddDevice } from './DeviceForm';
import css from './monitors.module.css';
import { defaults } from './params';
import { type DeviceRow, reachOf, tones, words } from './rows';
import { useDevices } from './useMonitors';
import { Due } from './Watches';

export function Devices() {
  const [params, set] = useParams(defaults);
  const { all, selected } = useOrganization();
  const { rows, error, isPending, refetch, more } = useDevices();
  const shown = useMemo(() => {
    const word = params.text.trim().toLowerCase();
    return rows.filter((r) => word === '' || `${r.device.name} ${r.device.address} ${r.watches.map((w) => w.module).join(' ')}`.toLowerCase().includes(word));
  }, [rows, params.text]);
  const global = all.length > 1 && !selected;
  const columns = useMemo(() => columnsOf(global), [global]);
  const active = rows.find((r) => r.key === params.at);
  const step = (by: number) => {
    const next = shown[Math.max(0, Math.min(shown.length - 1, shown.findIndex((r) => r.key === params.at) + by))];
    if (next) set({ at: next.key });
  };
  useHotkeys('Devices', [
    { keys: 'j', label: 'Next device', run: () => step(1) },
    { keys: 'k', label: 'Device before', run: () => step(-1) },
  ]);
  if (error) return <div className={css.error}><ErrorBox error={error} doing="Load the devices" retry={() => void refetch()} /></div>; // prettier-ignore
  return (
    <SplitPane name="devices" label="the device’s details" initial={430} pane={active ? <Device key={active.key} row={active} changed={refetch} close={() => set({ at: '' })} /> : null}>
      <div className={css.listed}>
        {more && <p className={css.more}>The first {count(rows.length)} by name are listed. Choose an organization to see fewer.</p>}
        <div className={css.grow}>
          <VirtualTable
            label="Devices"
            rows={shown}
            keyOf={keyOf}
            columns={columns}
            active={params.at || undefined}
            onActive={(at) => set({ at })}
            empty={isPending ? undefined : <Empty none={rows.length === 0} />}
          />
        </div>
      </div>
    </SplitPane>
  );
}

const keyOf = (r: DeviceRow) => r.key;

function Empty({ none }: { none: boolean }) {
  if (!none) return <EmptyState title="No device matches">Change the filter to see the others.</EmptyState>;
  return (
    <EmptyState icon={<IconServer size={28} stroke={1.4} aria-hidden="true" />} title="There is no device yet" actions={<AddDevice filled />}>
      A device is something that monitors may poll: its address, how it is asked, and the credential for it.
    </EmptyState>
  );
}

function columnsOf(global: boolean): Column<DeviceRow>[] {
  const columns: (Column<DeviceRow> | false)[] = [
    { id: 'state', header: 'State', width: '92px', cell: (r) => <State row={r} /> },
    { id: 'name', header: 'Device', width: 'minmax(110px, 1fr)', cell: (r) => <span className="cut">{visible(r.device.name)}</span> },
    { id: 'address', header: 'Address', width: 'minmax(110px, 1fr)', cell: (r) => <span className="mono cut">{visible(r.device.address)}</span> },
    global && { id: 'org', header: 'Organization', width: 'minmax(96px, 0.9fr)', cell: (r) => <OrganizationName id={r.device.tenant} /> },
    { id: 'reach', header: 'Asked over', width: '110px', cell: (r) => <span className="dim">{reachOf(r.device)}</span> },
    { id: 'watches', header: 'Watches', width: '68px', end: true, cell: (r) => count(r.watches.length) },
    { id: 'good', header: 'Last good poll', width: '100px', end: true, cell: (r) => <Age at={r.good} short /> },
    { id: 'next', header: 'Next poll', width: '80px', end: true, cell: (r) => <Due at={r.next} /> },
  ]; // prettier-ignore
  return columns.filter((c) => c !== false);
}

export function State({ row: r }: { row: DeviceRow }) {
  if (!r.health) return <span className="dim" title="No watch polls it">not watched</span>; // prettier-ignore
  const tone = tones[r.health];
  return (
    <Badge {...(tone ? { tone } : {})} title={visible(r.error)}>
      {words[r.health]}
    </Badge>
  );
}
