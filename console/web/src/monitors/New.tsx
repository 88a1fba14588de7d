// A new watch: which device, by which monitor, how often, and what came back when it was tried.

import { useQuery } from '@connectrpc/connect-query';
import { Button, Select, TextInput } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { useSession } from '../app/session';
import { MonitorService } from '../gen/vedette/v1/monitor_pb';
import { Page, Spring, useTitle } from '../ui/Layout';
import { notice } from '../ui/notice';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { AddDevice } from './DeviceForm';
import { blank, type Draft, problemsOf } from './draft';
import css from './monitors.module.css';
import { fits } from './fits';
import { Trying } from './Trying';
import { usePollers } from './useMonitors';
import { useTrial } from './useTrial';
import { WatchForm } from './WatchForm';

const defaults = { of: 0, device: '', module: '' };

export default function New() {
  useTitle('Watch a device');
  const [params, set] = useParams(defaults);
  const { all, selected } = useOrganization();
  const navigate = useNavigate();
  const { whyNot } = useSession();
  const tenant = params.of || selected?.id || all[0]?.id || 0;
  const devices = useQuery(MonitorService.method.listDevices, { tenants: [tenant], limit: 1_000 }, { enabled: tenant !== 0 });
  const pollers = usePollers(tenant);
  const device = devices.data?.devices.find((d) => d.name === params.device);
  const choices = useMemo(() => pollers.monitors.filter((m) => !device || fits(m, device)), [pollers.monitors, device]);
  const monitor = choices.find((m) => m.module === params.module);
  const [draft, setDraft] = useState<Draft>(() => blank(tenant, params.device, monitor));
  const [touched, touch] = useState(false);
  useEffect(() => {
    setDraft(blank(tenant, params.device, monitor));
    touch(false);
  }, [tenant, params.device, monitor]);
  const back = () => void navigate({ to: '/monitors' });
  const trial = useTrial(undefined, () => {
    notice(`${visible(draft.id)} is watched.`);
    void navigate({ to: '/monitors', search: { at: `${tenant} ${draft.id}` } as never });
  });
  useHotkeys('New watch', [{ keys: 'Escape', label: 'Back to the monitors', run: back }]);
  const why = whyNot('devices.change');
  const error = devices.error ?? pollers.error;
  return (
    <Page
      title="Watch a device"
      actions={
        <>
          <Spring />
          <Button variant="default" leftSection={<IconArrowLeft size={13} aria-hidden="true" />} renderRoot={(props) => <Link {...props} to="/monitors" />}>
            Monitors
          </Button>
        </>
      }
    >
      {error && <ErrorBox error={error} doing="Load devices and monitors" retry={() => void devices.refetch()} />}
      {why ? (
        <EmptyState title={why}>What a monitor may reach is a grant. Ask an admin; how often it polls you may change yourself.</EmptyState>
      ) : (
        <div className={css.new}>
          <div className={css.form}>
            <fieldset>
              <legend>What</legend>
              {all.length > 1 && (
                <Select label="For" data={all.map((t) => ({ value: String(t.id), label: t.name || t.slug }))} value={String(tenant)} allowDeselect={false} onChange={(v) => v && set({ of: Number(v), device: '', module: '' })} />
              )}
              <div className={css.beside}>
                <Select
                  label="Device"
                  placeholder={devices.data?.devices.length === 0 ? 'There is none yet: add one' : 'Choose a device'}
                  data={devices.data?.devices.map((d) => d.name) ?? []}
                  value={params.device || null}
                  searchable
                  onChange={(v) => set({ device: v ?? '' })}
                />
                <AddDevice tenant={tenant} added={(name) => void devices.refetch().then(() => set({ device: name }))} />
              </div>
              <Select
                label="Monitor"
                description={monitor?.description}
                placeholder="Choose how it is asked"
                data={choices.map((m) => ({ value: m.module, label: `${m.title} (${m.module})` }))}
                value={monitor?.module ?? null}
                searchable
                onChange={(v) => set({ module: v ?? '' })}
              />
              <TextInput label="Name of the watch" value={draft.id} error={touched ? problemsOf(draft).id : undefined} onChange={(e) => { const id = e.currentTarget.value; touch(true); setDraft((d) => ({ ...d, id })); }} />
            </fieldset>
            {monitor && <WatchForm draft={draft} monitor={monitor} touched={touched} change={(patch) => { touch(true); setDraft((d) => ({ ...d, ...patch })); }} />}
          </div>
          <div className={css.stay}>
            <Trying draft={draft} trial={trial} label="Watch it" />
          </div>
        </div>
      )}
    </Page>
  ); // prettier-ignore
}
