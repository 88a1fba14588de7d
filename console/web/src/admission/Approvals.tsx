// Installations that ask for more than they have: who asks, for what and why, and what it would change.

import { createConnectQueryKey, useQuery } from '@connectrpc/connect-query';
import { SegmentedControl } from '@mantine/core';
import { IconShieldCheck } from '@tabler/icons-react';
import { useMemo } from 'react';
import { queryClient } from '../api/query';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { AdmissionService, type InstallRequest } from '../gen/vedette/v1/admission_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { Badge, OrganizationName } from '../ui/Badge';
import { Page, useTitle } from '../ui/Layout';
import { SplitPane } from '../ui/SplitPane';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Column, VirtualTable } from '../ui/VirtualTable';
import css from './admission.module.css';
import { Request } from './Request';
import { toneOfState } from './states';

const defaults = { show: 'waiting', at: '' };
const refresh = 5_000; // ms

export default function Approvals() {
  useTitle('Approvals');
  const [params, set] = useParams(defaults);
  const { tenants, all, selected } = useOrganization();
  const { data, error, isPending, refetch } = useQuery(AdmissionService.method.listInstallRequests, { tenants, all: params.show === 'all' || params.at !== '' }, { refetchInterval: refresh, placeholderData: (old) => old });
  const shown = useMemo(() => data?.requests.filter((r) => params.show === 'all' || r.state === 'waiting' || keyOf(r) === params.at) ?? [], [data, params.show, params.at]);
  // The count in the navigation is of another question.
  const changed = () => void queryClient.invalidateQueries({ queryKey: createConnectQueryKey({ schema: AdmissionService.method.listInstallRequests, cardinality: 'finite' }) });
  const columns = useMemo(() => columnsOf(all.length > 1 && !selected), [all, selected]);
  const active = shown.find((r) => keyOf(r) === params.at);
  const step = (by: number) => {
    const at = shown.findIndex((r) => keyOf(r) === params.at);
    const next = shown[Math.max(0, Math.min(shown.length - 1, at + by))];
    set({ at: next ? keyOf(next) : '' });
  };
  useHotkeys('Approvals', [
    { keys: 'j', label: 'Next request', run: () => step(1) },
    { keys: 'k', label: 'Request before', run: () => step(-1) },
    { keys: 'Escape', label: 'Close the request', run: () => set({ at: '' }) },
  ]);
  return (
    <Page
      flush
      title="Approvals"
      actions={
        <>
          <SegmentedControl aria-label="Which requests" value={params.show} onChange={(show) => set({ show })} data={[{ value: 'waiting', label: 'Waiting' }, { value: 'all', label: 'All' }]} />
          <span className="dim">Installations that ask for more than they were granted. Nothing of them runs before somebody agrees.</span>
        </>
      }
    >
      {error && !data ? (
        <div className={css.fault}>
          <ErrorBox error={error} doing="Load the requests" retry={() => void refetch()} />
        </div>
      ) : (
        <SplitPane name="approvals" label="the request" initial={540} pane={active ? <Request key={keyOf(active)} request={active} changed={changed} close={() => set({ at: '' })} /> : null}>
          <VirtualTable
            label="Requests"
            rows={shown}
            keyOf={keyOf}
            columns={columns}
            active={params.at || undefined}
            onActive={(at) => set({ at })}
            toneOf={toneOf}
            empty={
              isPending ? undefined : (
                <EmptyState icon={<IconShieldCheck size={28} stroke={1.4} aria-hidden="true" />} title={params.show === 'all' ? 'Nobody has asked yet' : 'Nothing waits for approval'}>
                  A module that asks for more than it was granted waits here for an admin.
                </EmptyState>
              )
            }
          />
        </SplitPane>
      )}
    </Page>
  ); // prettier-ignore
}

const keyOf = (r: InstallRequest) => String(r.id);
const toneOf = (r: InstallRequest) => (r.state === 'waiting' ? undefined : 'done');

function columnsOf(global: boolean): Column<InstallRequest>[] {
  return [
    { id: 'at', header: 'When', width: '64px', cell: (r) => <Age at={millis(r.at)} short /> },
    {
      id: 'module', header: 'Module', width: 'minmax(130px, 1.6fr)',
      cell: (r) => <span title={visible(r.module)}><span className="mono">{visible(r.module)}</span> <span className="number dim">{visible(r.version)}</span></span>,
    },
    { id: 'missing', header: 'Asks for', width: 'minmax(84px, 1.2fr)', cell: (r) => <span className="mono" title={r.missing.join(', ')}>{visible(r.missing.join(', '))}</span> },
    ...(global ? [{ id: 'org', header: 'For', width: 'minmax(60px, 0.8fr)', cell: (r: InstallRequest) => (r.tenant ? <OrganizationName id={r.tenant} /> : <span className="dim">all</span>) }] : []),
    { id: 'who', header: 'Who', width: 'minmax(46px, 0.6fr)', cell: (r) => visible(r.who) },
    { id: 'state', header: 'State', width: '84px', cell: (r) => <Badge tone={toneOfState(r.state)}>{r.state}</Badge> },
  ]; // prettier-ignore
}
