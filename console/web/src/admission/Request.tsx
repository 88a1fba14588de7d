// One request: what it asks for and why, what it would change, and the decision.

import { ActionIcon, Button, Group, Modal, Stack, Textarea, Tooltip } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import { type FormEvent, type KeyboardEvent, useMemo, useState } from 'react';
import { admission } from '../api/clients';
import { useHotkeys } from '../app/keys';
import { useSession } from '../app/session';
import type { InstallRequest } from '../gen/vedette/v1/admission_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { Badge, OrganizationName } from '../ui/Badge';
import { CopyButton } from '../ui/Copy';
import { Keys } from '../ui/Keys';
import { failed, notice } from '../ui/notice';
import { visible } from '../ui/text';
import css from './admission.module.css';
import type { Trial } from './backtest';
import { Comparing } from './Comparing';
import { toneOfState } from './states';
import { useBacktest } from './useBacktest';

const longestNote = 1_000; // characters; the host takes 1 KiB

interface Props {
  request: InstallRequest;
  changed: () => void;
  close: () => void;
}

export function Request({ request: r, changed, close }: Props) {
  const { whyNot } = useSession();
  const [deciding, decide] = useState<'approve' | 'reject'>();
  const why = whyNot(r.tenant ? 'capabilities.grant' : 'global.change') || (r.state === 'waiting' ? '' : `It is ${r.state} already.`);
  const trial = useMemo((): Trial => ({ tenant: r.tenant, name: '', candidate: { case: 'request', value: r.id }, grants: [] }), [r.tenant, r.id]);
  const comparison = useBacktest(trial, whyNot('modules.change') || (r.kind === 'monitor' ? 'A monitor reads no records: there is nothing to compare.' : ''));
  const ask = (what: 'approve' | 'reject') => (why ? void notice(why) : decide(what));
  useHotkeys('Request', [
    { keys: 'a', label: 'Approve', run: () => ask('approve') },
    { keys: 'r', label: 'Reject', run: () => ask('reject') },
    { keys: 'b', label: 'Compare with what runs', run: () => (comparison.why ? void notice(comparison.why) : comparison.start()) },
  ]);
  return (
    <div className={css.request}>
      <header>
        <h2 className="cut" title={visible(r.module)}>
          {visible(r.module)} {visible(r.version)}
        </h2>
        {r.kind && <Badge>{r.kind}</Badge>}
        <Badge tone={toneOfState(r.state)}>{r.state}</Badge>
        <Tooltip label={<>Close <Keys keys="Escape" /></>}>
          <ActionIcon aria-label="Close the request" onClick={close}>
            <IconX size={16} />
          </ActionIcon>
        </Tooltip>
      </header>
      <p>
        <strong>{visible(r.who)}</strong> asked <Age at={millis(r.at)} ago /> to install it for {r.tenant ? <OrganizationName id={r.tenant} /> : 'all organizations'}.{' '}
        {r.running ? <>Version {visible(r.running)} runs now.</> : 'No version of it runs now.'}
      </p>
      <Asks request={r} />
      <dl className={css.facts}>
        <dt>Digest</dt>
        <dd>
          <span className="mono cut" title={r.digest}>{r.digest}</span>
          <CopyButton text={r.digest} what="the digest" />
        </dd>
        {r.decider && (
          <>
            <dt>Decided</dt>
            <dd>
              <span>
                {r.state} by {visible(r.decider)}, <Age at={millis(r.decided)} ago />
              </span>
            </dd>
            {r.note && (
              <>
                <dt>Note</dt>
                <dd>{visible(r.note)}</dd>
              </>
            )}
          </>
        )}
      </dl>
      {r.state === 'waiting' && (
        <div className={css.decide}>
          <Button leftSection={<IconCheck size={14} aria-hidden="true" />} disabled={why !== ''} title={why} rightSection={<Keys keys="a" />} onClick={() => decide('approve')}>
            Approve
          </Button>
          <Button variant="default" leftSection={<IconX size={14} aria-hidden="true" />} disabled={why !== ''} title={why} rightSection={<Keys keys="r" />} onClick={() => decide('reject')}>
            Reject
          </Button>
          {why && <span className="dim">{why}</span>}
        </div>
      )}
      {r.state !== 'rejected' && r.kind !== 'monitor' && (
        <section className={css.test} aria-label="What it would change">
          <h3>What it would change</h3>
          <Comparing comparison={comparison} />
        </section>
      )}
      <Decision request={r} deciding={deciding} close={() => decide(undefined)} changed={changed} />
    </div>
  ); // prettier-ignore
}

function Asks({ request: r }: { request: InstallRequest }) {
  return (
    <ul className={css.asks} aria-label="What it asks for">
      {r.asks.map((a) => {
        const missing = r.missing.includes(a.id);
        return (
          <li key={a.id} data-missing={(missing && r.state === 'waiting') || undefined}>
            <span className="mono">{visible(a.id)}</span>
            <Badge {...(missing ? { tone: toneOfState(r.state) } : {})}>{missing ? (r.state === 'approved' ? 'granted' : 'not granted') : 'has it already'}</Badge>
            <p>{a.reason ? visible(a.reason) : <span className="dim">Its manifest gives no reason.</span>}</p>
          </li>
        );
      })}
    </ul>
  );
}

interface DecisionProps {
  request: InstallRequest;
  deciding: 'approve' | 'reject' | undefined;
  close: () => void;
  changed: () => void;
}

function Decision({ request: r, deciding, close, changed }: DecisionProps) {
  const [busy, setBusy] = useState(false);
  const approve = deciding === 'approve';
  const label = approve ? 'Approve and install' : 'Reject';
  const what = `${visible(r.module)} ${visible(r.version)}`;
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const note = String(new FormData(event.currentTarget).get('note') ?? '').trim();
    setBusy(true);
    try {
      await admission.decideInstallRequest({ id: r.id, approve, note });
      notice(approve ? `${what} runs.` : `${what} is rejected.`);
    } catch (e) {
      failed(`${approve ? 'Approve' : 'Reject'} ${what}`, e);
    }
    setBusy(false);
    close();
    changed();
  };
  const send = (e: KeyboardEvent<HTMLFormElement>) => {
    if (e.key !== 'Enter' || !(e.ctrlKey || e.metaKey)) return;
    e.preventDefault();
    e.currentTarget.requestSubmit();
  };
  return (
    <Modal opened={deciding !== undefined} onClose={close} title={`${approve ? 'Approve' : 'Reject'} ${what}`}>
      <form onSubmit={(e) => void submit(e)} onKeyDown={send}>
        <Stack gap="md">
          {approve && <p>It gets {r.missing.join(', ')}, its tests run, and it is installed in the name of {visible(r.who)}. What one of the steps refuses stays here.</p>}
          <Textarea label={`Note for ${visible(r.who)}, if there is something to say`} name="note" autosize minRows={3} maxRows={8} maxLength={longestNote} data-autofocus />
          <Group justify="flex-end" gap="sm">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={busy} {...(approve ? {} : { color: 'red' })}>
              {label}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  ); // prettier-ignore
}
