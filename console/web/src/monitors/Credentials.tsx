// What devices are asked with. What is secret goes in and never comes out.

import { useQuery } from '@connectrpc/connect-query';
import { Code, ConnectError } from '@connectrpc/connect';
import { Button, Modal, PasswordInput, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { type FormEvent, useMemo, useState } from 'react';
import { monitors as calls } from '../api/clients';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import { type Credential, MonitorService } from '../gen/vedette/v1/monitor_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { count } from '../ui/age';
import { OrganizationName } from '../ui/Badge';
import { failed, notice } from '../ui/notice';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Column, VirtualTable } from '../ui/VirtualTable';
import css from './monitors.module.css';

export function Credentials() {
  const { tenants, all, selected } = useOrganization();
  const { user, can } = useSession();
  const { data, error, isPending, refetch } = useQuery(MonitorService.method.listCredentials, { tenants }, { enabled: can('devices.change'), retry: false });
  const global = all.length > 1 && !selected;
  const [active, setActive] = useState<string>();
  const columns = useMemo(() => columnsOf(global, () => void refetch()), [global, refetch]);
  if (!can('devices.change') || (error && ConnectError.from(error).code === Code.PermissionDenied)) {
    return <EmptyState title={`Your role, ${user.role}, does not see credentials`}>Ask an admin. Nobody sees what is secret in them.</EmptyState>;
  }
  if (error && !data) return <div className={css.error}><ErrorBox error={error} doing="Load the credentials" retry={() => void refetch()} /></div>; // prettier-ignore
  return (
    <div className={css.listed}>
      <div className={css.bar}>
        <p className="dim">Sealed when it is kept, struck out of whatever a device answers, and shown to nobody again.</p>
        <Put label="Add a credential" done={() => void refetch()} />
      </div>
      <div className={css.grow}>
        <VirtualTable
          label="Credentials"
          rows={data?.credentials ?? []}
          keyOf={keyOf}
          columns={columns}
          active={active}
          onActive={setActive}
          empty={
            isPending ? undefined : (
              <EmptyState icon={<IconKey size={28} stroke={1.4} aria-hidden="true" />} title="There is no credential yet">
                Devices that ask who comes need one: a password, a key, a community.
              </EmptyState>
            )
          }
        />
      </div>
    </div>
  );
}

const keyOf = (c: Credential) => `${c.tenant} ${c.name}`;

function columnsOf(global: boolean, changed: () => void): Column<Credential>[] {
  const columns: (Column<Credential> | false)[] = [
    { id: 'name', header: 'Credential', width: 'minmax(120px, 1fr)', cell: (c) => visible(c.name) },
    global && { id: 'org', header: 'Organization', width: 'minmax(110px, 1fr)', cell: (c) => <OrganizationName id={c.tenant} /> },
    { id: 'kind', header: 'Kind', width: '120px', cell: (c) => <span className="mono">{c.kind}</span> },
    { id: 'login', header: 'Login', width: 'minmax(90px, 1fr)', cell: (c) => visible(c.login) || <span className="dim">–</span> },
    { id: 'devices', header: 'Devices', width: '70px', end: true, cell: (c) => count(c.devices) },
    { id: 'changed', header: 'Changed', width: 'minmax(120px, 1fr)', end: true, cell: (c) => <span className="dim"><Age at={millis(c.updatedAt)} ago /> by {visible(c.updatedBy)}</span> },
    { id: 'change', header: 'Change', width: '170px', end: true, cell: (c) => <Actions credential={c} changed={changed} /> },
  ]; // prettier-ignore
  return columns.filter((c) => c !== false);
}

function Actions({ credential: c, changed }: { credential: Credential; changed: () => void }) {
  const used = c.devices > 0 ? `${count(c.devices)} ${c.devices === 1 ? 'device uses' : 'devices use'} it.` : '';
  const remove = async () => {
    try {
      await calls.removeCredential({ tenant: c.tenant, name: c.name });
      notice(`${visible(c.name)} is removed.`);
    } catch (e) {
      failed(`Remove ${visible(c.name)}`, e);
    }
    changed();
  };
  return (
    <span className={css.actions}>
      <Put label="Replace" credential={c} done={changed} />
      <Button variant="default" size="compact-xs" disabled={used !== ''} title={used} onClick={() => void remove()}>
        Remove<span className="unseen"> {c.name}</span>
      </Button>
    </span>
  );
}

const kinds = [
  { value: 'http-basic', label: 'HTTP: user and password', login: 'User', secret: 'Password' },
  { value: 'http-bearer', label: 'HTTP: bearer token', login: '', secret: 'Token' },
  { value: 'http-header', label: 'HTTP: a header', login: 'Header', secret: 'Value' },
  { value: 'snmp-v2c', label: 'SNMP v2c: community', login: '', secret: 'Community' },
  { value: 'snmp-v3', label: 'SNMP v3: user', login: 'User', secret: 'Authentication passphrase' },
  { value: 'ssh-key', label: 'SSH: private key', login: 'User', secret: 'Private key, PEM' },
  { value: 'ssh-password', label: 'SSH: password', login: 'User', secret: 'Password' },
] as const;

function Put({ label, credential: c, done }: { label: string; credential?: Credential; done: () => void }) {
  const [opened, { open, close }] = useDisclosure();
  return (
    <>
      <Button {...(c ? { variant: 'default', size: 'compact-xs' } : { leftSection: <IconPlus size={14} aria-hidden="true" /> })} aria-haspopup="dialog" aria-expanded={opened} onClick={open}>
        {label}
        {c && <span className="unseen"> {c.name}</span>}
      </Button>
      <Modal opened={opened} onClose={close} title={c ? `Replace ${visible(c.name)}` : label}>
        <Form credential={c} done={() => { close(); done(); }} />
      </Modal>
    </>
  ); // prettier-ignore
}

function Form({ credential: c, done }: { credential: Credential | undefined; done: () => void }) {
  const { all, selected } = useOrganization();
  const [whose, setWhose] = useState<number>();
  const tenant = c?.tenant ?? whose ?? selected?.id ?? all[0]?.id ?? 0;
  const [chosen, choose] = useState<string>(c?.kind ?? 'http-basic');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const kind = kinds.find((k) => k.value === chosen) ?? kinds[0];
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '');
    setBusy(true);
    setError(undefined);
    try {
      const name = c?.name ?? text('name').trim();
      await calls.putCredential({ tenant, name, kind: kind.value, login: text('login').trim(), secret: text('secret'), privacy: text('privacy'), hash: text('hash'), cipher: text('cipher') });
      notice(`${visible(name)} is kept. It is shown to nobody again.`);
      done();
    } catch (e) {
      setError(e);
    }
    setBusy(false);
  };
  return (
    <form onSubmit={(e) => void submit(e)} autoComplete="off">
      <Stack gap="md">
        {!c && all.length > 1 && <Select label="For" data={all.map((t) => ({ value: String(t.id), label: t.name || t.slug }))} value={String(tenant)} allowDeselect={false} onChange={(v) => v && setWhose(Number(v))} />}
        {!c && <TextInput name="name" label="Name" required withAsterisk={false} maxLength={128} data-autofocus />}
        <Select label="Kind" data={kinds.map(({ value, label }) => ({ value, label }))} value={kind.value} allowDeselect={false} onChange={(v) => v && choose(v)} />
        {kind.login && <TextInput name="login" label={kind.login} required withAsterisk={false} defaultValue={c?.login ?? ''} autoComplete="off" />}
        {kind.value === 'ssh-key' ? (
          <Textarea name="secret" label={kind.secret} required withAsterisk={false} minRows={5} autosize maxRows={10} classNames={{ input: 'mono' }} autoComplete="off" />
        ) : (
          <PasswordInput name="secret" label={kind.secret} required withAsterisk={false} autoComplete="new-password" />
        )}
        {kind.value === 'snmp-v3' && (
          <>
            <PasswordInput name="privacy" label="Privacy passphrase" autoComplete="new-password" />
            <Select name="hash" label="Authentication" data={['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512']} defaultValue="sha256" allowDeselect={false} />
            <Select name="cipher" label="Privacy" data={['des', 'aes', 'aes192', 'aes256']} defaultValue="aes" allowDeselect={false} />
          </>
        )}
        {kind.value === 'ssh-key' && <PasswordInput name="privacy" label="Passphrase of the key, if it has one" autoComplete="new-password" />}
        {error !== undefined && <ErrorBox error={error} doing="Keep the credential" />}
        <Button type="submit" loading={busy}>
          {c ? 'Replace it' : 'Keep the credential'}
        </Button>
      </Stack>
    </form>
  ); // prettier-ignore
}
