// Records that a module could not survive.

import { useQuery } from '@connectrpc/connect-query';
import { Button, Select } from '@mantine/core';
import { IconShieldCheck } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { modules } from '../api/clients';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { useSession } from '../app/session';
import { ModuleService, type QuarantinedRecord } from '../gen/vedette/v1/module_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { bytes, count, plural } from '../ui/age';
import { OrganizationName } from '../ui/Badge';
import { Page, Spring, useTitle } from '../ui/Layout';
import { failed } from '../ui/notice';
import { SplitPane } from '../ui/SplitPane';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Column, VirtualTable } from '../ui/VirtualTable';
import { Held } from './Held';
import css from './modules.module.css';
import { codeWords, headOf } from './words';

const defaults = { module: '', at: '' };
const portion = 500; // records at once
const refresh = 5_000; // ms

export default function Quarantine() {
  useTitle('Quarantine');
  const [params, set] = useParams(defaults);
  const { tenants, all, selected } = useOrganization();
  const { can, whyNot } = useSession();
  const { data, error, isPending, refetch } = useQuery(ModuleService.method.listQuarantine, { tenants, limit: portion }, {
    enabled: can('modules.change'),
    // A full portion stands still: what moves out of it would be missing between it and the older ones.
    refetchInterval: ({ state }) => (state.data?.records.length ?? 0) < portion && refresh,
  });
  const older = useOlder(tenants, data?.records);
  const records = useMemo(() => [...(data?.records ?? []), ...older.records], [data, older.records]);
  const names = useMemo(() => [...new Set(records.map((r) => r.module))].sort(), [records]);
  const shown = useMemo(() => records.filter((r) => params.module === '' || r.module === params.module), [records, params.module]);
  const columns = useMemo(() => columnsOf(all.length > 1 && !selected), [all, selected]);
  const active = shown.find((r) => keyOf(r) === params.at);
  const step = (by: number) => {
    const at = shown.findIndex((r) => keyOf(r) === params.at);
    const next = shown[Math.max(0, Math.min(shown.length - 1, at + by))];
    set({ at: next ? keyOf(next) : '' });
  };
  useHotkeys('Quarantine', [
    { keys: 'j', label: 'Next record', run: () => step(1) },
    { keys: 'k', label: 'Record before', run: () => step(-1) },
    { keys: 'Escape', label: 'Close the record', run: () => set({ at: '' }) },
  ]);
  return (
    <Page
      flush
      title="Quarantine"
      actions={
        <>
          <Select aria-label="Module" placeholder="All modules" clearable data={names} value={params.module || null} onChange={(v) => set({ module: v ?? '' })} />
          <Spring />
          {data && data.dropped > 0n && <span className="dim">{plural(Number(data.dropped), 'older record')} dropped for room</span>}
          {older.more && (
            <Button variant="default" loading={older.busy} onClick={older.load}>
              Load older ones
            </Button>
          )}
        </>
      }
    >
      {error ? (
        <div className={css.error}>
          <ErrorBox error={error} doing="Load the quarantine" retry={() => void refetch()} />
        </div>
      ) : (
        <SplitPane name="quarantine" label="the record" initial={460} pane={active ? <Held key={keyOf(active)} record={active} close={() => set({ at: '' })} /> : null}>
          <VirtualTable
            label="Quarantined records"
            rows={shown}
            keyOf={keyOf}
            columns={columns}
            active={params.at || undefined}
            onActive={(at) => set({ at })}
            empty={
              whyNot('modules.change') ? (
                <EmptyState title="The quarantine is for those who change modules">{whyNot('modules.change')}</EmptyState>
              ) : isPending ? undefined : (
                <EmptyState icon={<IconShieldCheck size={28} stroke={1.4} aria-hidden="true" />} title="Nothing is in quarantine">
                  A record on which a module fails is kept here, and the others go on.
                </EmptyState>
              )
            }
          />
        </SplitPane>
      )}
    </Page>
  );
}

// useOlder loads what does not fit into the first portion.
function useOlder(tenants: number[], newest: readonly QuarantinedRecord[] | undefined) {
  const [state, setState] = useState<{ records: QuarantinedRecord[]; end: boolean; busy: boolean }>({ records: [], end: false, busy: false });
  const load = async () => {
    const last = state.records.at(-1) ?? newest?.at(-1);
    if (!last) return;
    setState((s) => ({ ...s, busy: true }));
    try {
      const { records } = await modules.listQuarantine({ tenants, limit: portion, before: last.number });
      setState((s) => ({ records: [...s.records, ...records], end: records.length < portion, busy: false }));
    } catch (e) {
      failed('Load older records', e);
      setState((s) => ({ ...s, busy: false }));
    }
  };
  return { ...state, more: !state.end && (newest?.length ?? 0) === portion, load: () => void load() };
}

const keyOf = (r: QuarantinedRecord) => String(r.number);

function columnsOf(global: boolean): Column<QuarantinedRecord>[] {
  return [
    { id: 'at', header: 'When', width: '74px', cell: (r) => <Age at={millis(r.at)} short /> },
    { id: 'module', header: 'Module', width: 'minmax(130px, 1fr)', cell: (r) => <span className="mono">{visible(r.module)}</span> },
    { id: 'code', header: 'Why', width: 'minmax(110px, 0.8fr)', cell: (r) => <span className={css.code} title={r.code}>{codeWords(r.code)}</span> },
    ...(global ? [{ id: 'org', header: 'Organization', width: 'minmax(90px, 0.8fr)', cell: (r: QuarantinedRecord) => <OrganizationName id={r.tenant} /> }] : []),
    { id: 'detail', header: 'Detail', width: 'minmax(120px, 1.6fr)', cell: (r) => <span className="dim">{visible(headOf(r.detail))}</span> },
    { id: 'size', header: 'Size', width: '70px', end: true, cell: (r) => <span title={`${count(r.raw.length)} bytes`}>{bytes(r.raw.length)}</span> },
  ]; // prettier-ignore
}

