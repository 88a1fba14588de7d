// An organization's own policy: what it says about what runs is shown before it is in force.

import { Button, Textarea } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { registry } from '../api/clients';
import { useHotkeys } from '../app/keys';
import type { Problem } from '../gen/vedette/v1/module_pb';
import type { GetTrustPolicyResponse, TrustPolicy } from '../gen/vedette/v1/registry_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { plural } from '../ui/age';
import { Panel } from '../ui/Layout';
import { failed, notice } from '../ui/notice';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { placeOf, template } from './document';
import css from './trust.module.css';
import { Verdicts } from './Verdicts';

const typing = 400; // ms

interface Props {
  tenant: number;
  policy: GetTrustPolicyResponse;
  changed: () => void;
}

export function Edit({ tenant, policy, changed }: Props) {
  const inForce = policy.policy?.document ?? '';
  const [text, setText] = useState(inForce);
  const [busy, setBusy] = useState(false);
  const [asked] = useDebouncedValue(text, typing);
  const box = useRef<HTMLTextAreaElement>(null);
  const would = useQuery({
    queryKey: ['trust', tenant, asked],
    queryFn: ({ signal }) => registry.setTrustPolicy({ tenant, document: asked, dryRun: true }, { signal }),
    staleTime: 0,
    retry: false,
  });
  const { problems = [], stops = [], verdicts = [] } = would.data ?? {};
  const same = text === inForce;
  const why = same ? 'It is in force as it stands.' : text !== asked || would.isFetching ? 'It is being looked at.' : problems.length > 0 ? `It has ${plural(problems.length, 'mistake')}.` : '';
  const save = async () => {
    setBusy(true);
    try {
      const done = await registry.setTrustPolicy({ tenant, document: text });
      if (done.problems.length === 0) notice(text ? `The policy is in force as version ${String(done.version)}.` : 'The organization has no policy of its own any more.');
      changed();
    } catch (e) {
      failed('Put the policy in force', e);
    }
    setBusy(false);
  };
  useHotkeys('Trust', [{ keys: 'mod+Enter', label: 'Put it in force', always: true, run: () => void (why ? notice(why) : save()) }]);
  const goTo = (p: Problem) => {
    const at = placeOf(text, p.line, p.column);
    box.current?.focus();
    box.current?.setSelectionRange(at, at);
  };
  return (
    <div className={css.main}>
      <Panel
        title="The organization’s policy"
        actions={
          <>
            {text === '' && (
              <Button variant="default" size="compact-xs" onClick={() => setText(template)}>
                Begin with an example
              </Button>
            )}
            {!same && (
              <Button variant="default" size="compact-xs" onClick={() => setText(inForce)}>
                Back to what is in force
              </Button>
            )}
            <Button size="compact-xs" {...(stops.length > 0 ? { color: 'red' } : {})} loading={busy} disabled={why !== ''} title={why} onClick={() => void save()}>
              {text === '' ? 'Take the policy away' : stops.length > 0 ? `Put in force and stop ${plural(stops.length, 'module')}` : 'Put in force'}
            </Button>
          </>
        }
      >
        <Textarea
          ref={box}
          aria-label="Policy, as YAML"
          classNames={{ input: css.yaml }}
          autosize
          minRows={12}
          maxRows={26}
          spellCheck={false}
          placeholder="No policy of its own: the host’s alone decides."
          value={text}
          onChange={(e) => setText(e.currentTarget.value)}
        />
        {problems.length > 0 && (
          <ul className={css.problems} aria-label="Mistakes">
            {problems.map((p, i) => (
              <li key={i}>
                <button type="button" onClick={() => goTo(p)}>
                  <span className="mono number">{p.line > 0 ? `${p.line}:${p.column}` : '–'}</span> {visible(p.text)}
                </button>
              </li>
            ))}
          </ul>
        )}
      </Panel>
      {would.error && <ErrorBox error={would.error} doing="Look at the policy" retry={() => void would.refetch()} />}
      {stops.length > 0 && !same && (
        <p className={css.stops} role="status">
          This would stop {plural(stops.length, 'running module')}: <strong>{visible(stops.map((s) => s.name).join(', '))}</strong>. They stop within a minute, and go on when the policy allows them again.
        </p>
      )}
      <Panel title={same ? 'What it says about what the organization runs itself' : 'What it would say about what the organization runs itself'}>
        {text === '' ? (
          <p className="dim">Without a policy of its own the host’s decides: each module’s page says what.</p>
        ) : (
          <Verdicts list={verdicts} none={problems.length > 0 ? 'Nothing, as long as it has mistakes.' : 'The organization runs no module of its own.'} />
        )}
      </Panel>
      {policy.before.length > 0 && (
        <Panel title="Before">
          <ul className={css.before}>
            {[policy.policy!, ...policy.before].map((p) => (
              <li key={String(p.version)}>
                <Version policy={p} />
                <Button variant="default" size="compact-xs" disabled={p.document === text} onClick={() => setText(p.document)}>
                  Look at it
                </Button>
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </div>
  ); // prettier-ignore
}

function Version({ policy: p }: { policy: TrustPolicy }) {
  return (
    <span>
      <strong className="number">{String(p.version)}</strong> {p.document ? plural(p.document.split('\n').length, 'line') : 'none of its own'} <span className="dim">by {visible(p.who)}, <Age at={millis(p.at)} ago /></span>
    </span>
  ); // prettier-ignore
}
