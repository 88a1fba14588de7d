// A device, added or changed.

import { useQuery } from '@connectrpc/connect-query';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Button, Checkbox, Modal, NumberInput, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPencil, IconPlus } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { monitors as calls } from '../api/clients';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import { type Credential, type Device, type DeviceSchema, MonitorService } from '../gen/vedette/v1/monitor_pb';
import { notice } from '../ui/notice';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import css from './monitors.module.css';

interface Props {
  // The device to be changed; without it one is added.
  device?: Device;
  tenant?: number;
  filled?: boolean;
  added?: (name: string) => void;
}

export function AddDevice({ device, tenant, filled = false, added }: Props) {
  const { whyNot } = useSession();
  const [opened, { open, close }] = useDisclosure();
  const why = whyNot('devices.change');
  const label = device ? 'Change' : 'Add a device';
  return (
    <>
      <Button variant={filled ? 'filled' : 'default'} leftSection={device ? <IconPencil size={13} aria-hidden="true" /> : <IconPlus size={14} aria-hidden="true" />} aria-haspopup="dialog" aria-expanded={opened} disabled={why !== ''} title={why} onClick={open}>
        {label}
      </Button>
      <Modal opened={opened} onClose={close} title={device ? `Change ${visible(device.name)}` : label} size={560}>
        <Form device={device} tenant={tenant} done={(name) => { close(); added?.(name); }} />
      </Modal>
    </>
  ); // prettier-ignore
}

type Ways = Record<'http' | 'snmp' | 'ssh', boolean>;

const kinds = { http: 'http-', snmp: 'snmp-', ssh: 'ssh-' } as const;

function Form({ device: d, tenant: fixed, done }: { device: Device | undefined; tenant: number | undefined; done: (name: string) => void }) {
  const { all, selected } = useOrganization();
  const [whose, setWhose] = useState<number>();
  const tenant = d?.tenant ?? fixed ?? whose ?? selected?.id ?? all[0]?.id ?? 0;
  const [ways, setWays] = useState<Ways>({ http: Boolean(d?.http), snmp: Boolean(d?.snmp), ssh: Boolean(d?.ssh) });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const { data } = useQuery(MonitorService.method.listCredentials, { tenants: [tenant] }, { enabled: tenant !== 0 });
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const device = read(new FormData(event.currentTarget), tenant, ways, d);
    setBusy(true);
    setError(undefined);
    try {
      await calls.putDevice({ device });
      notice(`${visible(device.name!)} is kept.`);
      done(device.name!);
    } catch (e) {
      setError(e);
    }
    setBusy(false);
  };
  const way = (name: keyof Ways, label: string) => <Checkbox label={label} checked={ways[name]} onChange={(e) => { const on = e.currentTarget.checked; setWays((w) => ({ ...w, [name]: on })); }} />; // prettier-ignore
  const credential = (name: keyof Ways, now: string | undefined, required: boolean) => <Secret name={`${name}.credential`} of={kinds[name]} list={data?.credentials ?? []} now={now ?? ''} required={required} />;
  return (
    <form onSubmit={(e) => void submit(e)}>
      <Stack gap="md">
        {!d && !fixed && all.length > 1 && (
          <Select label="For" data={all.map((t) => ({ value: String(t.id), label: t.name || t.slug }))} value={String(tenant)} allowDeselect={false} onChange={(v) => v && setWhose(Number(v))} />
        )}
        {!d && <TextInput name="name" label="Name" description="Events carry it as host.name" required withAsterisk={false} maxLength={128} data-autofocus />}
        <TextInput name="address" label="Address" description="Host name or IP address" required withAsterisk={false} defaultValue={d?.address ?? ''} />
        <Checkbox name="private" label="It may be a loopback, private or shared address" defaultChecked={d?.private ?? false} />
        {way('http', 'Asked over HTTP')}
        {ways.http && (
          <div className={css.way}>
            <TextInput name="http.url" label="Base URL" placeholder="https://192.0.2.1:8443/api" required withAsterisk={false} defaultValue={d?.http?.url ?? ''} />
            {credential('http', d?.http?.credential, false)}
            <Textarea name="http.ca" label="Certificates that may vouch for it, in PEM" description="Empty: those that the host’s system trusts" autosize minRows={2} maxRows={6} defaultValue={d?.http?.ca ?? ''} classNames={{ input: 'mono' }} />
          </div>
        )}
        {way('snmp', 'Asked over SNMP')}
        {ways.snmp && (
          <div className={css.way}>
            <NumberInput name="snmp.port" label="Port" placeholder="161" min={1} max={65_535} hideControls defaultValue={d?.snmp?.port || ''} />
            {credential('snmp', d?.snmp?.credential, true)}
          </div>
        )}
        {way('ssh', 'Asked over SSH')}
        {ways.ssh && (
          <div className={css.way}>
            <NumberInput name="ssh.port" label="Port" placeholder="22" min={1} max={65_535} hideControls defaultValue={d?.ssh?.port || ''} />
            {credential('ssh', d?.ssh?.credential, true)}
            <p className="dim">Its host key is approved when a watch of it is tried: the page shows the key then.</p>
          </div>
        )}
        {error !== undefined && <ErrorBox error={error} doing="Keep the device" />}
        <Button type="submit" loading={busy}>
          {d ? 'Change the device' : 'Add the device'}
        </Button>
      </Stack>
    </form>
  ); // prettier-ignore
}

interface SecretProps {
  name: string;
  // How the kinds that fit begin.
  of: string;
  list: readonly Credential[];
  now: string;
  required: boolean;
}

function Secret({ name, of, list, now, required }: SecretProps) {
  const fit = list.filter((c) => c.kind.startsWith(of));
  return (
    <Select
      name={name}
      label="Credential"
      placeholder={fit.length === 0 ? 'There is none of this kind yet: add it under Credentials' : required ? 'Choose one' : 'None'}
      data={fit.map((c) => ({ value: c.name, label: `${c.name} (${c.kind}${c.login && `, ${c.login}`})` }))}
      defaultValue={now || null}
      required={required}
      withAsterisk={false}
      clearable={!required}
    />
  );
}

function read(form: FormData, tenant: number, ways: Ways, before: Device | undefined): MessageInitShape<typeof DeviceSchema> {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  return {
    tenant,
    name: before?.name ?? text('name'),
    address: text('address'),
    private: form.get('private') !== null,
    ...(ways.http ? { http: { url: text('http.url'), credential: text('http.credential'), ca: text('http.ca') } } : {}),
    ...(ways.snmp ? { snmp: { port: Number(text('snmp.port')), credential: text('snmp.credential') } } : {}),
    ...(ways.ssh ? { ssh: { port: Number(text('ssh.port')), credential: text('ssh.credential'), hostKeys: before?.ssh?.hostKeys ?? [] } } : {}),
  };
}
