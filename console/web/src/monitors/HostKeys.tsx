// Host keys that a device has shown and nobody has approved, beside those that were.

import { useQuery } from '@connectrpc/connect-query';
import { Button, Group } from '@mantine/core';
import { useEffect, useState } from 'react';
import { monitors as calls } from '../api/clients';
import { useSession } from '../app/session';
import { type HostKey, MonitorService } from '../gen/vedette/v1/monitor_pb';
import { failed, notice } from '../ui/notice';
import { visible } from '../ui/text';
import css from './monitors.module.css';

interface Props {
  keys: readonly HostKey[];
  tenant: number;
  device: string;
  approved: () => void;
}

export function HostKeys({ keys, tenant, device, approved }: Props) {
  const { whyNot } = useSession();
  // What is approved now, not what was when the page saw the device last.
  const { data, isFetching, refetch } = useQuery(MonitorService.method.listDevices, { tenants: [tenant], limit: 1_000 }, { staleTime: 0, refetchOnMount: 'always' });
  useEffect(() => void refetch(), [keys, refetch]);
  const [busy, setBusy] = useState(false);
  const ssh = isFetching ? undefined : data?.devices.find((d) => d.name === device)?.ssh;
  const why = whyNot('devices.change');
  const approve = async (k: HostKey, replace: boolean) => {
    setBusy(true);
    try {
      await calls.approveHostKey({ tenant, device, key: k.key, replace });
      notice(`The key of ${visible(device)} is approved.`);
      await refetch();
      approved();
    } catch (e) {
      failed(`Approve the key of ${visible(device)}`, e);
    }
    setBusy(false);
  };
  return (
    <>
      {keys.map((k) => (
        <div key={k.fingerprint} className={css.hostkey} data-changed={k.changed || undefined}>
          <strong>{k.changed ? 'The host key has changed: the device is new, or something stands in its place' : 'Nobody has approved this device’s host key yet'}</strong>
          <dl>
            {k.changed && (
              <>
                <dt>Approved</dt>
                <dd>{ssh ? ssh.fingerprints.map((f) => <code key={f}>{visible(f)}</code>) : '…'}</dd>
              </>
            )}
            <dt>Shown now</dt>
            <dd>
              <code>{visible(k.fingerprint)}</code>
            </dd>
          </dl>
          <p>Compare it with what the device itself says: <code>ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub</code></p>
          <Group gap="sm">
            <Button {...(k.changed ? { color: 'red' } : {})} loading={busy} disabled={why !== ''} title={why} onClick={() => void approve(k, k.changed)}>
              {k.changed ? 'It is the device: approve this key in place of the others' : 'It is the device: approve this key'}
            </Button>
            {why && <span className="dim">{why}</span>}
          </Group>
        </div>
      ))}
    </>
  ); // prettier-ignore
}
