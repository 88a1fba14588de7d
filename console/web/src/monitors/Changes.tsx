// Who changed what of devices, credentials, watches, and of what is declared right.

import { useQuery } from '@connectrpc/connect-query';
import { useMemo, useState } from 'react';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { useSession } from '../app/session';
import { type DeviceChange, MonitorService } from '../gen/vedette/v1/monitor_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { OrganizationName } from '../ui/Badge';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Column, VirtualTable } from '../ui/VirtualTable';
import css from './monitors.module.css';
import { defaults } from './params';

interface Line {
  readonly key: string;
  readonly change: DeviceChange;
}

export function Changes() {
  const [params] = useParams(defaults);
  const { tenants, all, selected } = useOrganization();
  const { whyNot } = useSession();
  const why = whyNot('monitors.change');
  const { data, error, isPending, refetch } = useQuery(MonitorService.method.listDeviceChanges, { tenants, limit: 1_000 }, { enabled: why === '', refetchInterval: 10_000 });
  const [active, setActive] = useState<string>();
  const global = all.length > 1 && !selected;
  const columns = useMemo(() => columnsOf(global), [global]);
  const lines = useMemo(() => {
    const word = params.text.trim().toLowerCase();
    return (data?.changes ?? [])
      .map((change, i): Line => ({ key: `${i} ${change.what}`, change }))
      .filter(({ change: c }) => word === '' || `${c.who} ${c.what}`.toLowerCase().includes(word));
  }, [data, params.text]);
  if (why) return <EmptyState title={why}>Ask an analyst or an admin who changed what.</EmptyState>;
  if (error && !data) return <div className={css.error}><ErrorBox error={error} doing="Load the changes" retry={() => void refetch()} /></div>; // prettier-ignore
  return (
    <VirtualTable
      label="Changes"
      rows={lines}
      keyOf={keyOf}
      columns={columns}
      active={active}
      onActive={setActive}
      empty={isPending ? undefined : <EmptyState title={params.text ? 'No change matches' : 'Nobody has changed anything yet'}>Devices, credentials, watches and what is declared right are listed here when somebody changes them.</EmptyState>}
    />
  ); // prettier-ignore
}

const keyOf = (l: Line) => l.key;

function columnsOf(global: boolean): Column<Line>[] {
  const columns: (Column<Line> | false)[] = [
    { id: 'at', header: 'When', width: '110px', cell: (l) => <Age at={millis(l.change.at)} ago /> },
    { id: 'who', header: 'Who', width: '120px', cell: (l) => visible(l.change.who) },
    global && { id: 'org', header: 'Organization', width: 'minmax(110px, 0.4fr)', cell: (l) => <OrganizationName id={l.change.tenant} /> },
    { id: 'what', header: 'What', width: 'minmax(240px, 2fr)', cell: (l) => <span title={visible(l.change.what)}>{visible(l.change.what)}</span> },
  ]; // prettier-ignore
  return columns.filter((c) => c !== false);
}
