// One watch: how it is doing, what came of it over time, and how it polls.

import { ActionIcon, Button, Modal, Stack, Switch, Tooltip } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPencil, IconTrash, IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { monitors as calls } from '../api/clients';
import { useHotkeys } from '../app/keys';
import { useSession } from '../app/session';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { count } from '../ui/age';
import { Badge, OrganizationName } from '../ui/Badge';
import { Keys } from '../ui/Keys';
import { failed, notice } from '../ui/notice';
import { RawText } from '../ui/RawText';
import { visible } from '../ui/text';
import { span } from './duration';
import { Edit } from './Edit';
import { sourceOf } from './history';
import { History } from './History';
import css from './monitors.module.css';
import { Part } from './Part';
import { Reach } from './Reach';
import { type Row, tones, words } from './rows';
import { Due } from './Watches';

interface Props {
  row: Row;
  // Watches whose events cannot be told from this one's.
  mates: readonly Row[];
  changed: () => Promise<unknown>;
  close: () => void;
}

export function Watch({ row, mates, changed, close }: Props) {
  const { watch, state } = row.entry;
  const w = watch!;
  const { whyNot } = useSession();
  const [editing, edit] = useState(false);
  const why = w.fixed ? 'It is set by vedette.yaml: change it there.' : whyNot('monitors.change');
  useHotkeys('Watch', [
    { keys: 'e', label: 'Change or try it', run: () => (why ? void notice(why) : edit(true)) },
    { keys: 'Escape', label: editing ? 'Stop editing' : 'Close the details', run: editing ? () => edit(false) : close },
  ]);
  const switchTo = async (on: boolean) => {
    try {
      await calls.putWatch({ watch: { ...w, off: !on }, untried: true });
      notice(`${visible(w.id)} is ${on ? 'on' : 'off'}.`);
    } catch (e) {
      failed(`Switch ${visible(w.id)} ${on ? 'on' : 'off'}`, e);
    }
    await changed();
  };
  return (
    <div className={css.detail}>
      <header>
        <h2 className="cut" title={visible(w.id)}>
          {visible(w.id)}
        </h2>
        <Badge {...(tones[row.health] ? { tone: tones[row.health]! } : {})}>{words[row.health]}</Badge>
        <Tooltip label={<>Close <Keys keys="Escape" /></>}>
          <ActionIcon aria-label="Close the details" onClick={close}>
            <IconX size={16} />
          </ActionIcon>
        </Tooltip>
      </header>
      <div className={css.controls}>
        <Switch label={w.off ? 'Off' : 'On'} checked={!w.off} disabled={why !== ''} title={why} onChange={(e) => void switchTo(e.currentTarget.checked)} />
        {!editing && (
          <Button variant="default" leftSection={<IconPencil size={13} aria-hidden="true" />} rightSection={<Keys keys="e" />} disabled={why !== ''} title={why} onClick={() => edit(true)}>
            Change or try
          </Button>
        )}
        <Remove row={row} why={why} done={() => void changed().then(close)} />
      </div>
      {why && <p className="dim">{why}</p>}
      {row.error && (
        <div className={css.failure} role="status">
          <strong>{state!.streak > 1n ? `The last ${count(state!.streak)} polls failed` : 'The last poll failed'}</strong>
          <RawText text={row.error} lines limit={2_000} />
          {/host key/.test(row.error) && <p>Choose “Change or try” and try it once: the page then shows the key for you to compare and approve.</p>}
        </div>
      )}
      {editing ? (
        <Edit row={row} done={() => { edit(false); void changed(); }} cancel={() => edit(false)} />
      ) : (
        <>
          <Facts row={row} />
          <History row={row} mates={mates} />
          <Reach watch={w} />
          <Part title="More">
            <Link to="/search" search={{ q: `vedette.source:=${JSON.stringify(sourceOf(w))}` } as never}>
              Search what it has found
            </Link>
            {!whyNot('monitors.change') && (
              <>
                {' · '}
                <Link to="/monitors" search={{ show: 'changes', text: `watch ${w.id}` } as never}>
                  Who changed it
                </Link>
              </>
            )}
          </Part>
        </>
      )}
    </div>
  ); // prettier-ignore
}

function Facts({ row }: { row: Row }) {
  const w = row.entry.watch!;
  const setting = (own: bigint, rest: string) => <>{own ? span(Number(own)) : <span className="dim">{rest}</span>}</>;
  return (
    <dl className={css.facts}>
      <dt>Monitor</dt>
      <dd className="mono">{visible(w.module)}</dd>
      <dt>For</dt>
      <dd><OrganizationName id={w.tenant} /></dd>
      <dt>Last good poll</dt>
      <dd><Age at={row.good} ago /></dd>
      <dt>Last poll</dt>
      <dd><span><Age at={row.last} ago />{row.polls > 0 && <span className="dim">, took {count(row.took)} ms</span>}</span></dd>
      <dt>Next poll</dt>
      <dd><Due at={row.next} /></dd>
      <dt>Every</dt>
      <dd>{span(row.interval)}{!w.intervalMs && <span className="dim">as the monitor says</span>}</dd>
      <dt>Jitter</dt>
      <dd>{setting(w.jitterMs, w.intervalMs ? 'as the monitor says, at most a tenth of the interval' : 'as the monitor says')}</dd>
      <dt>Timeout</dt>
      <dd>{setting(w.timeoutMs, 'as the monitor says')}</dd>
      <dt>Settings</dt>
      <dd className="mono">{w.settings ? visible(w.settings) : <span className="dim">those of the monitor</span>}</dd>
      <dt>Polls</dt>
      <dd className="number">{count(row.polls)}, {count(row.failures)} failed</dd>
      {w.setAt && (
        <>
          <dt>Changed</dt>
          <dd><span>by {visible(w.setBy)}, <Age at={millis(w.setAt)} ago /></span></dd>
        </>
      )}
    </dl>
  ); // prettier-ignore
}

function Remove({ row, why, done }: { row: Row; why: string; done: () => void }) {
  const [opened, { open, close }] = useDisclosure();
  const [busy, setBusy] = useState(false);
  const w = row.entry.watch!;
  const remove = async () => {
    setBusy(true);
    try {
      await calls.removeWatch({ tenant: w.tenant, id: w.id });
      notice(`${visible(w.id)} is watched no more.`);
      done();
    } catch (e) {
      failed(`Remove ${visible(w.id)}`, e);
    }
    setBusy(false);
    close();
  };
  return (
    <>
      <Tooltip label="Remove the watch">
        <ActionIcon aria-label="Remove the watch" aria-haspopup="dialog" aria-expanded={opened} disabled={why !== ''} onClick={open}>
          <IconTrash size={15} />
        </ActionIcon>
      </Tooltip>
      <Modal opened={opened} onClose={close} title={`Remove ${visible(w.id)}`}>
        <Stack gap="md">
          <p>Polling ends and what the monitor remembers of it is forgotten. Events and configurations that it brought stay.</p>
          <Button color="red" loading={busy} onClick={() => void remove()} data-autofocus>
            Remove the watch
          </Button>
        </Stack>
      </Modal>
    </>
  );
}
