// One device: where it is, how it is asked, what polls it, what was pulled from it.

import { useQuery } from '@connectrpc/connect-query';
import { ActionIcon, Button, Modal, Stack, Tooltip } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconTrash, IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { monitors as calls } from '../api/clients';
import { useHotkeys } from '../app/keys';
import { useSession } from '../app/session';
import { MonitorService } from '../gen/vedette/v1/monitor_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { Badge, OrganizationName } from '../ui/Badge';
import { Keys } from '../ui/Keys';
import { failed, notice } from '../ui/notice';
import { visible } from '../ui/text';
import { AddDevice } from './DeviceForm';
import { State } from './Devices';
import { differenceOf } from './links';
import css from './monitors.module.css';
import { Part } from './Part';
import { type DeviceRow, tones, words } from './rows';

interface Props {
  row: DeviceRow;
  changed: () => Promise<unknown>;
  close: () => void;
}

export function Device({ row, changed, close }: Props) {
  const d = row.device;
  const { whyNot } = useSession();
  const why = whyNot('devices.change');
  useHotkeys('Device', [{ keys: 'Escape', label: 'Close the details', run: close }]);
  return (
    <div className={css.detail}>
      <header>
        <h2 className="cut" title={visible(d.name)}>
          {visible(d.name)}
        </h2>
        <State row={row} />
        <Tooltip label={<>Close <Keys keys="Escape" /></>}>
          <ActionIcon aria-label="Close the details" onClick={close}>
            <IconX size={16} />
          </ActionIcon>
        </Tooltip>
      </header>
      <div className={css.controls}>
        <AddDevice device={d} added={() => void changed()} />
        {!why && (
          <Button variant="default" renderRoot={(props) => <Link {...props} to="/monitors/new" search={{ of: String(d.tenant), device: d.name } as never} />}>
            Watch it
          </Button>
        )}
        <Remove row={row} why={why} done={() => void changed().then(close)} />
      </div>
      {why && <p className="dim">{why}</p>}
      <Facts row={row} />
      <Part title="Watches">
        {row.watches.length === 0 && <p className="dim">Nothing polls it.</p>}
        <ul className={css.reach}>
          {row.watches.map((w) => (
            <li key={w.key}>
              <Link to="/monitors" search={{ at: w.key } as never}>
                {visible(w.id)}
              </Link>{' '}
              <span className="mono dim">{visible(w.module)}</span> <Badge {...(tones[w.health] ? { tone: tones[w.health]! } : {})}>{words[w.health]}</Badge>
              {w.error && <p className={css.bad}>{visible(w.error)}</p>}
            </li>
          ))}
        </ul>
      </Part>
      <Texts row={row} />
    </div>
  ); // prettier-ignore
}

function Facts({ row: { device: d } }: { row: DeviceRow }) {
  const credential = (name: string) => (name ? <> with <b>{visible(name)}</b></> : <span className="dim">without a credential</span>); // prettier-ignore
  return (
    <dl className={css.facts}>
      <dt>Address</dt>
      <dd className="mono">{visible(d.address)}{d.private && <Badge title="It may be a loopback, private or shared address">private</Badge>}</dd>
      <dt>For</dt>
      <dd><OrganizationName id={d.tenant} /></dd>
      {d.http && <><dt>HTTP</dt><dd><span><span className="mono">{visible(d.http.url)}</span> {credential(d.http.credential)}{d.http.ca && ', with an authority of its own'}</span></dd></>}
      {d.snmp && <><dt>SNMP</dt><dd><span>port {d.snmp.port || 161} {credential(d.snmp.credential)}</span></dd></>}
      {d.ssh && (
        <>
          <dt>SSH</dt>
          <dd><span>port {d.ssh.port || 22} {credential(d.ssh.credential)}</span></dd>
          <dt>Host keys</dt>
          <dd className={css.keys}>
            {d.ssh.fingerprints.map((f) => <code key={f}>{visible(f)}</code>)}
            {d.ssh.fingerprints.length === 0 && <span className="dim">none is approved: nothing is run there. Try a watch of it once to see its key.</span>}
          </dd>
        </>
      )}
      <dt>Changed</dt>
      <dd><span>by {visible(d.updatedBy)}, <Age at={millis(d.updatedAt)} ago /></span></dd>
    </dl>
  ); // prettier-ignore
}

// Texts are what was pulled from the device.
function Texts({ row: { device: d } }: { row: DeviceRow }) {
  const { data } = useQuery(MonitorService.method.listConfigs, { tenants: [d.tenant], device: d.name, limit: 1_000 });
  const names = [...new Set(data?.versions.map((v) => v.name))];
  if (names.length === 0) return null;
  return (
    <Part title="Configurations">
      <ul className={css.reach}>
        {names.map((name) => {
          const versions = data!.versions.filter((v) => v.name === name);
          return (
            <li key={name}>
              <Link {...differenceOf({ tenant: d.tenant, device: d.name, name })}>{visible(name)}</Link>{' '}
              <span className="dim">
                {versions.length} kept, the newest <Age at={millis(versions[0]!.at)} ago />
              </span>
            </li>
          );
        })}
      </ul>
    </Part>
  );
}

function Remove({ row, why, done }: { row: DeviceRow; why: string; done: () => void }) {
  const [opened, { open, close }] = useDisclosure();
  const [busy, setBusy] = useState(false);
  const d = row.device;
  const used = row.watches.length > 0 ? 'A watch polls it: remove that first.' : '';
  const remove = async () => {
    setBusy(true);
    try {
      await calls.removeDevice({ tenant: d.tenant, name: d.name });
      notice(`${visible(d.name)} is removed.`);
      done();
    } catch (e) {
      failed(`Remove ${visible(d.name)}`, e);
    }
    setBusy(false);
    close();
  };
  return (
    <>
      <Tooltip label={why || used || 'Remove the device'}>
        <ActionIcon aria-label="Remove the device" aria-haspopup="dialog" aria-expanded={opened} disabled={why !== '' || used !== ''} onClick={open}>
          <IconTrash size={15} />
        </ActionIcon>
      </Tooltip>
      <Modal opened={opened} onClose={close} title={`Remove ${visible(d.name)}`}>
        <Stack gap="md">
          <p>What was pulled from it stays.</p>
          <Button color="red" loading={busy} onClick={() => void remove()} data-autofocus>
            Remove the device
          </Button>
        </Stack>
      </Modal>
    </>
  );
}
