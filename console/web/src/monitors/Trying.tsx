// The way from a draft to what is in force: try it once, look at what came back, apply it.

import { Button, Group } from '@mantine/core';
import { IconFlask } from '@tabler/icons-react';
import { useHotkeys } from '../app/keys';
import { useSession } from '../app/session';
import { Keys } from '../ui/Keys';
import { ErrorBox } from '../ui/States';
import { type Draft, problemsOf } from './draft';
import css from './monitors.module.css';
import { TrialResult } from './TrialResult';
import type { useTrial } from './useTrial';

interface Props {
  draft: Draft;
  trial: ReturnType<typeof useTrial>;
  label: string;
  cancel?: () => void;
}

export function Trying({ draft, trial, label, cancel }: Props) {
  const { state, tryOnce, apply } = trial;
  const { whyNot } = useSession();
  const problems = Object.values(problemsOf(draft));
  const why = whyNot('monitors.change') || (problems[0] ?? '');
  const busy = state.phase === 'trying' || state.phase === 'applying';
  const tried = state.phase === 'tried' ? state : undefined;
  const stale = tried !== undefined && tried.draft !== draft;
  useHotkeys('Trial', [{ keys: 't', label: 'Try it once', run: () => why === '' && !busy && void tryOnce(draft) }]);
  return (
    <section className={css.trying} aria-label="Trial">
      <Group gap="sm">
        <Button variant="default" leftSection={<IconFlask size={14} aria-hidden="true" />} rightSection={<Keys keys="t" />} loading={state.phase === 'trying'} disabled={why !== '' || busy} title={why} onClick={() => void tryOnce(draft)}>
          Try once
        </Button>
        <Button loading={state.phase === 'applying'} disabled={why !== '' || busy} title={why || 'The host tries it on the device first; what fails is not taken'} onClick={() => void apply(draft, false)}>
          {label}
        </Button>
        {cancel && (
          <Button variant="subtle" color="gray" onClick={cancel}>
            Cancel
          </Button>
        )}
      </Group>
      {state.phase === 'none' && <p className="dim">It is tried on the live device before it is taken. Nothing of a trial is kept.</p>}
      {busy && <p className="dim" role="status">The device is asked…</p>}
      {state.phase === 'failed' && <ErrorBox error={state.error} doing="Poll the device" />}
      {tried && (
        <>
          {stale && <p className={css.warn}>You have changed it since: this is what came back before.</p>}
          <TrialResult trial={tried.trial} tenant={draft.tenant} device={tried.draft.device} again={() => void tryOnce(draft)} />
          {!tried.trial.ok && (
            <p>
              <Button variant="subtle" size="compact-xs" onClick={() => void apply(draft, true)}>
                {label} without a trial
              </Button>{' '}
              <span className="dim">for a device that is not there yet.</span>
            </p>
          )}
        </>
      )}
    </section>
  ); // prettier-ignore
}
