// The foot of the wizard: name it, install it, see it run, take it back.

import { Button, Loader, Select, TextInput } from '@mantine/core';
import { IconArrowBackUp, IconArrowsDiff, IconCheck, IconHourglass, IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { type Comparison, verdict } from '../admission';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import { EventFlyout } from '../event';
import { useLine } from '../live/live';
import { useNow } from '../ui/Age';
import { age, count, plural } from '../ui/age';
import { failed } from '../ui/notice';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { Resend } from './Resend';
import { isName, outcomeOf } from './samples';
import { type Installation, useInstall } from './useInstall';
import type { Wizard } from './useWizard';
import css from './wizard.module.css';
import { capabilityWords, steps } from './words';

interface Props {
  wizard: Wizard;
  comparison: Comparison;
  // It is shown what it would change.
  comparing: boolean;
  compare: () => void;
}

export function Install({ wizard, comparison, comparing, compare }: Props) {
  const { whyNot, can } = useSession();
  const { all } = useOrganization();
  const line = useLine();
  const { state, install, undo } = useInstall(() => line.dropped);
  const [version, setVersion] = useState('');
  const { candidate, preview, spec, samples, tenant, name, module, update } = wizard;
  const busy = state.phase === 'running';
  const go = () =>
    void install({
      tenant, version, spec, samples: samples.records.filter((_, i) => preview.value?.results[i] && outcomeOf(preview.value.results[i]) === 'read'),
      kind: candidate?.about.kind ?? 'parser', module,
      ...(candidate ? { archive: candidate.bytes, grants: candidate.about.capabilities.map((c) => c.id) } : {}),
    }); // prettier-ignore
  const why = whyNot('modules.change') || whyNotYet(wizard);
  useHotkeys('New parser', [{ keys: 'mod+Enter', label: 'Install', always: true, run: () => void (!why && !busy && go()) }]);
  const owners = [...all.map((t) => ({ value: String(t.id), label: t.name || t.slug })), ...(can('tenants.change') ? [{ value: '0', label: 'All organizations' }] : [])];
  const grants = can(tenant ? 'capabilities.grant' : 'global.change');
  return (
    <footer className={css.install} aria-label="Install">
      <div className={css.form}>
        {!candidate && (
          <>
            <TextInput
              label="Name"
              leftSection={<span className="dim mono">local/</span>}
              leftSectionWidth={48}
              value={name}
              onChange={(e) => wizard.rename(e.currentTarget.value)}
              error={name !== '' && !isName(name) && 'Lower-case letters, digits and dashes'}
            />
            <TextInput label="Version" className={css.version} placeholder="next" value={version} onChange={(e) => setVersion(e.currentTarget.value)} />
          </>
        )}
        <Select label="For" data={owners} value={String(tenant)} onChange={(v) => v !== null && wizard.choose(Number(v))} allowDeselect={false} />
        <Button onClick={go} loading={busy} disabled={why !== ''} title={why} data-install="">
          {update.more.length === 0 ? 'Install' : grants ? 'Grant and install' : 'Ask for approval'}
        </Button>
        {!comparing && (
          <Button variant="default" leftSection={<IconArrowsDiff size={14} aria-hidden="true" />} disabled={comparison.why !== ''} title={comparison.why} onClick={compare}>
            What would it change?
          </Button>
        )}
        {state.phase === 'none' && <span className="dim">{why || hint(wizard, comparison, comparing, grants)}</span>}
        {state.phase !== 'none' && state.phase !== 'waiting' && <Steps state={state} />}
      </div>
      {state.phase === 'waiting' && <Waiting state={state} wizard={wizard} grants={grants} />}
      {state.phase === 'refused' && <ErrorBox error={state.error} doing={`Install ${state.order.module}`} />}
      {state.phase === 'active' && <Active state={state} lost={Math.max(0, line.dropped - state.before)} undo={undo} />}
    </footer>
  );
}

function whyNotYet({ candidate, preview, spec, samples, name }: Wizard): string {
  if (candidate) return '';
  if (!spec.trim()) return 'There is no parser to install yet.';
  if (samples.records.length === 0) return 'Paste a record first: the samples become the parser’s own tests.';
  if (preview.value?.problems.length) return `The parser has ${plural(preview.value.problems.length, 'mistake')}.`;
  if (preview.value && !preview.value.results.some((r) => outcomeOf(r) === 'read')) return 'It reads none of the samples.';
  return isName(name) ? '' : 'It needs a name of lower-case letters, digits and dashes.';
}

// hint says what comes next: what was found of its effect, what it asks for, else what installing does.
function hint(wizard: Wizard, { run }: Comparison, comparing: boolean, grants: boolean): string {
  const { more, running } = wizard.update;
  if (!comparing && run.phase === 'done') return verdict(run.report, run.span);
  if (more.length === 0) return promise(wizard);
  const asks = `It asks for ${running ? 'more than the version that runs: ' : ''}${capabilityWords(more.map((c) => c.id))}.`;
  return grants ? asks : `${asks} An admin has to agree; nothing of it runs before.`;
}

function Waiting({ state, wizard, grants }: { state: Extract<Installation, { phase: 'waiting' }>; wizard: Wizard; grants: boolean }) {
  const reason = (id: string) => wizard.candidate?.about.capabilities.find((c) => c.id === id)?.reason;
  return (
    <div className={css.waits} role="status">
      <IconHourglass size={16} stroke={1.8} aria-hidden="true" />
      <div>
        <strong>{visible(state.order.module)} waits for approval</strong>
        {state.missing.map((id) => (
          <p key={id}>
            asks for <span className="mono">{visible(id)}</span>
            {reason(id) && `: ${visible(reason(id)!)}`}
          </p>
        ))}
      </div>
      <Button variant="default" renderRoot={(props) => <Link {...props} to="/modules/approvals" search={{ at: String(state.request) } as never} />}>
        {grants ? 'Decide about' : 'Look at'} request {String(state.request)}
      </Button>
    </div>
  );
}

function promise({ candidate, preview }: Wizard): string {
  if (candidate) return 'Its own tests run first. A package that is refused changes nothing.';
  const read = preview.value?.results.filter((r) => outcomeOf(r) === 'read').length ?? 0;
  if (read === 0) return '';
  return `${read === 1 ? 'The sample that it reads becomes its test' : `The ${count(read)} samples that it reads become its tests`}. A parser that is refused changes nothing.`;
}

function Steps({ state }: { state: Installation }) {
  const at = state.phase === 'refused' ? state.step : state.phase === 'active' ? steps.length : -1;
  return (
    <ol className={css.steps} aria-label="Progress">
      {steps.map((name, i) => (
        <li key={name} data-state={i < at ? 'done' : i === at ? 'refused' : state.phase === 'running' ? 'running' : 'open'}>
          {i < at ? <IconCheck size={13} stroke={2.4} aria-hidden="true" /> : i === at ? <IconX size={13} stroke={2.4} aria-hidden="true" /> : <i aria-hidden="true" />}
          {name}
          {i === at && <span className="unseen"> refused</span>}
        </li>
      ))}
      {state.phase === 'running' && <Loader size={14} aria-label="Installing" />}
    </ol>
  );
}

type ActiveState = Extract<Installation, { phase: 'active' }>;

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

interface ActiveProps {
  state: ActiveState;
  // Records that went missing since it was swapped in.
  lost: number;
  undo: (order: ActiveState['order'], replaced: boolean) => Promise<void>;
}

function Active({ state, lost, undo }: ActiveProps) {
  const [busy, setBusy] = useState(false);
  const [shown, setShown] = useState(false);
  const now = useNow();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => void box.current?.scrollIntoView({ block: 'nearest' }), []);
  const { order, module, first, undone } = state;
  const label = state.replaced ? 'Roll back' : 'Switch it off';
  const back = async () => {
    setBusy(true);
    try {
      await undo(order, state.replaced);
    } catch (e) {
      failed(label, e);
    }
    setBusy(false);
  };
  return (
    <div ref={box} className={css.active} data-undone={undone ? '' : undefined}>
      <p role="status">
        <strong>
          {visible(module.name)} {visible(module.version)}
        </strong>{' '}
        {undone ?? (
          <>
            running since {new Date(state.at).toLocaleTimeString('en-GB')}, <b data-bad={lost > 0 || undefined}>{count(lost)} lost</b>
            <span className="dim"> · {state.cases === 1 ? 'its test passed' : `all ${count(state.cases)} tests passed`}</span>
          </>
        )}
      </p>
      {!undone && order.kind === 'parser' && (
        <p className={css.first} data-there={first ? '' : undefined}>
          {first ? (
            <>
              <span role="status">First record parsed {seconds(first.after)} after the installation.</span>{' '}
              <button type="button" onClick={() => setShown(true)}>
                Show the event
              </button>
            </>
          ) : (
            <>
              <i aria-hidden="true" /> Waiting for its next record, {age(state.at, Math.max(now, state.at + 1000))}
              <Resend order={order} />
            </>
          )}
        </p>
      )}
      {!undone && (
        <Button variant="default" leftSection={<IconArrowBackUp size={14} aria-hidden="true" />} loading={busy} onClick={() => void back()}>
          {label}
        </Button>
      )}
      {state.kept.map((k) => (
        <p key={k}>{visible(k)}</p>
      ))}
      {state.warnings.map((w) => (
        <p key={w} className={css.warn}>
          {visible(w)}
        </p>
      ))}
      {shown && first && <EventFlyout eventId={first.event.id} event={first.event} onClose={() => setShown(false)} />}
    </div>
  );
}
