// The foot of the editor: whose the rule becomes, what that changes, and its installation.

import { Button, Select } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { rules } from '../api/clients';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import type { CheckRuleResponse, SaveRuleResponse } from '../gen/vedette/v1/rule_pb';
import { plural } from '../ui/age';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import css from './editor.module.css';
import { linkOf } from './links';
import type { Draft } from './useDraft';
import { forgetRules } from './useRules';

type State = { phase: 'none' | 'busy' } | { phase: 'done'; answer: SaveRuleResponse; text: string } | { phase: 'failed'; error: unknown };

export function Save({ draft }: { draft: Draft }) {
  const { text, tenant, choose, check, digest } = draft;
  const { all, name } = useOrganization();
  const { can, whyNot } = useSession();
  const [state, set] = useState<State>({ phase: 'none' });
  useEffect(() => set((s) => (s.phase === 'done' && s.text === text ? s : { phase: 'none' })), [text, tenant]);
  const why = whyNot('modules.change') || (text.trim() === '' ? 'There is no rule yet.' : check.value === undefined || check.busy ? 'It is being checked.' : check.value.ok ? '' : 'The rule has mistakes.');
  const save = () => {
    if (why || state.phase === 'busy') return;
    set({ phase: 'busy' });
    rules.saveRule({ text, tenant, digest: state.phase === 'done' ? '' : digest }).then(
      (answer) => {
        set({ phase: 'done', answer, text });
        void forgetRules();
      },
      (error: unknown) => set({ phase: 'failed', error }),
    );
  };
  useHotkeys('Write a rule', [{ keys: 'mod+Enter', label: 'Install', always: true, run: save }]);
  const owners = [...all.map((t) => ({ value: String(t.id), label: t.name || t.slug })), ...(can('global.change') ? [{ value: '0', label: 'All organizations' }] : [])];
  return (
    <footer className={css.save} aria-label="Install">
      <Select label="For" data={owners} value={String(tenant)} onChange={(v) => v !== null && choose(Number(v))} allowDeselect={false} />
      <Button onClick={save} loading={state.phase === 'busy'} disabled={why !== ''} title={why}>
        {check.value?.rules.some((r) => r.rule?.enabled || r.replaces) ? 'Install in its place' : 'Install'}
      </Button>
      <div role="status">
        {state.phase === 'none' && <Effect check={check.value} why={why} whom={tenant ? name(tenant) : 'all organizations'} />}
        {state.phase === 'done' && <Done answer={state.answer} whom={tenant ? name(tenant) : 'all organizations'} />}
        {state.phase === 'failed' && <ErrorBox error={state.error} doing="Install the rule" />}
      </div>
    </footer>
  ); // prettier-ignore
}

// Effect says what installing it would change.
function Effect({ check, why, whom }: { check: CheckRuleResponse | undefined; why: string; whom: string }) {
  if (!check || why) return <p className="dim">{why}</p>;
  return (
    <>
      {check.rules.map((r) => (
        <p key={r.rule?.id}>
          {r.replaces ? (
            <>
              It takes the place of <b>{visible(r.rule?.id ?? '')}</b> of <span className="mono">{visible(r.replaces)}</span> for {visible(whom)}.
            </>
          ) : (
            <>
              <b>{visible(r.rule?.name || r.rule?.id || '')}</b> would run for {visible(whom)} from the next record on.
            </>
          )}
        </p>
      ))}
    </>
  ); // prettier-ignore
}

function Done({ answer: a, whom }: { answer: SaveRuleResponse; whom: string }) {
  return (
    <>
      <p>
        <IconCheck size={14} aria-hidden="true" className={css.ok} />
        {a.rules.map((r, i) => (
          <span key={r.id}>
            {i > 0 && ', '}
            <Link {...linkOf(r.id)}>{visible(r.name)}</Link> <span className="number">{visible(r.packageVersion)}</span>
          </span>
        ))}{' '}
        {a.rules.length === 1 ? 'runs' : 'run'} for {visible(whom)}; {a.cases === 0 ? 'it had no tests to pass' : `${plural(a.cases, 'test')} passed`}.
      </p>
      {[...a.state, ...a.warnings].map((t, i) => (
        <p key={i} className="dim">
          {visible(t)}
        </p>
      ))}
    </>
  );
}
