// The texts that monitors pull from devices: configurations, lists of packages. What deviates stands first.

import { useQuery } from '@connectrpc/connect-query';
import { Button, SegmentedControl, TextInput } from '@mantine/core';
import { IconFileDiff, IconSearch } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { MonitorService } from '../gen/vedette/v1/monitor_pb';
import { Age } from '../ui/Age';
import { bytes, count } from '../ui/age';
import { Badge, OrganizationName } from '../ui/Badge';
import { Page, Spring, useTitle } from '../ui/Layout';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Column, VirtualTable } from '../ui/VirtualTable';
import { differenceOf } from './links';
import css from './monitors.module.css';
import { standingTones, standingWords, type TextRow, textsOf } from './texts';

const defaults = { text: '', show: '' };
const most = 1_000;

export default function Configurations() {
  useTitle('Configurations');
  const [params, set] = useParams(defaults);
  const { tenants, all, selected } = useOrganization();
  const navigate = useNavigate();
  const { data, error, isPending, refetch } = useQuery(MonitorService.method.listConfigs, { tenants, newest: true, limit: most }, { refetchInterval: 10_000 });
  const rows = useMemo(() => textsOf(data?.versions ?? [], data?.blessed ?? []), [data]);
  const shown = useMemo(() => {
    const word = params.text.trim().toLowerCase();
    return rows.filter((r) => (params.show === '' || r.standing === params.show) && (word === '' || `${r.version.device} ${r.version.name}`.toLowerCase().includes(word)));
  }, [rows, params]);
  const global = all.length > 1 && !selected;
  const columns = useMemo(() => columnsOf(global), [global]);
  const [active, setActive] = useState<string>();
  const open = (r: TextRow) => void navigate(linkOf(r));
  const step = (by: number) => setActive(shown[Math.max(0, Math.min(shown.length - 1, shown.findIndex((r) => r.key === active) + by))]?.key);
  useHotkeys('Configurations', [
    { keys: 'j', label: 'Next text', run: () => step(1) },
    { keys: 'k', label: 'Text before', run: () => step(-1) },
    { keys: 'Enter', label: 'Show what is different', run: () => shown.filter((r) => r.key === active).forEach(open) },
  ]);
  const deviating = rows.filter((r) => r.standing === 'deviates').length;
  return (
    <Page
      flush
      title="Configurations"
      actions={
        <>
          <SegmentedControl
            aria-label="Which configurations"
            value={params.show}
            onChange={(show) => set({ show })}
            data={[{ value: '', label: `All ${count(rows.length)}` }, { value: 'deviates', label: `Deviating ${count(deviating)}` }]}
          />
          <TextInput aria-label="Filter configurations" placeholder="Device or name" leftSection={<IconSearch size={14} aria-hidden="true" />} value={params.text} onChange={(e) => set({ text: e.currentTarget.value })} />
          <Spring />
        </>
      }
    >
      {error && !data ? (
        <div className={css.error}>
          <ErrorBox error={error} doing="Load the configurations" retry={() => void refetch()} />
        </div>
      ) : (
        <div className={css.listed}>
          {rows.length === most && <p className={css.more}>The {count(most)} that changed last are listed. Choose an organization to see fewer.</p>}
          <div className={css.grow}>
            <VirtualTable
              label="Configurations"
              rows={shown}
              keyOf={keyOf}
              columns={columns}
              active={active}
              onActive={setActive}
              onOpen={open}
              empty={isPending ? undefined : <Empty none={rows.length === 0} />}
            />
          </div>
        </div>
      )}
    </Page>
  ); // prettier-ignore
}

const keyOf = (r: TextRow) => r.key;

// A text that deviates is shown against what was declared right, any other against the version before.
const linkOf = (r: TextRow) => differenceOf({ tenant: r.version.tenant, device: r.version.device, name: r.version.name, ...(r.standing === 'deviates' ? { from: 'blessed' } : {}) });

function Empty({ none }: { none: boolean }) {
  if (!none) return <EmptyState title="No configuration matches">Change the filter to see the others.</EmptyState>;
  return (
    <EmptyState
      icon={<IconFileDiff size={28} stroke={1.4} aria-hidden="true" />}
      title="No configuration was pulled yet"
      actions={<Button renderRoot={(props) => <Link {...props} to="/monitors/new" search={{ module: 'vedette/sshconfig' } as never} />}>Watch a device’s configuration</Button>}
    >
      The monitor “Configuration over SSH” pulls a device’s configurations and packages. Each version that is different is kept here.
    </EmptyState>
  );
}

function columnsOf(global: boolean): Column<TextRow>[] {
  const columns: (Column<TextRow> | false)[] = [
    { id: 'state', header: 'State', width: '124px', cell: (r) => { const tone = standingTones[r.standing]; return tone ? <Badge tone={tone}>{standingWords[r.standing]}</Badge> : <span className="dim">{standingWords[r.standing]}</span>; } },
    { id: 'device', header: 'Device', width: 'minmax(120px, 1fr)', cell: (r) => <Link {...linkOf(r)} tabIndex={-1} aria-label={`${visible(r.version.device)} ${visible(r.version.name)}`}>{visible(r.version.device)}</Link> },
    { id: 'name', header: 'Text', width: 'minmax(90px, 0.7fr)', cell: (r) => <span className="mono">{visible(r.version.name)}</span> },
    global && { id: 'org', header: 'Organization', width: 'minmax(110px, 1fr)', cell: (r) => <OrganizationName id={r.version.tenant} /> },
    { id: 'last', header: 'Changed', width: '110px', cell: (r) => <Age at={r.at} ago /> },
    { id: 'lines', header: 'Last change', width: '110px', end: true, cell: (r) => <Lines added={r.version.added} removed={r.version.removed} /> },
    { id: 'size', header: 'Size', width: '80px', end: true, cell: (r) => bytes(r.version.bytes) },
    { id: 'by', header: 'Declared right', width: 'minmax(110px, 0.8fr)', cell: (r) => (r.blessed ? <span className="dim">by {visible(r.blessed.who)}</span> : <span className="dim">–</span>) },
  ]; // prettier-ignore
  return columns.filter((c) => c !== false);
}

export function Lines({ added, removed }: { added: number; removed: number }) {
  return (
    <span className="number" title={`${count(added)} lines added, ${count(removed)} removed`}>
      <span className={css.added}>+{count(added)}</span> <span className={css.removed}>−{count(removed)}</span>
    </span>
  );
}
