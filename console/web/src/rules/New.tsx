// A rule is written, tried and installed: the document on the left, what the host makes of it on the right.

import { Button, SegmentedControl, Tabs } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, useRef, useState } from 'react';
import { useHotkeys } from '../app/keys';
import { useParams } from '../app/params';
import type { EditorHandle } from '../editor/Editor';
import { Page, Spring, useTitle } from '../ui/Layout';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { Backtest } from './Backtest';
import { Checked } from './Checked';
import { complete } from './completion';
import css from './editor.module.css';
import { Form } from './Form';
import { linkOf } from './links';
import { problemsOf } from './problems';
import { Save } from './Save';
import { Try } from './Try';
import { type Draft, useDraft } from './useDraft';
import { useForm } from './useForm';
import { Changes } from './Versions';

const Editor = lazy(() => import('../editor/Editor'));
const defaults = { rule: '', side: 'check' };

export default function New() {
  const [params, set] = useParams(defaults);
  const title = params.rule ? 'Edit a rule' : 'New rule';
  useTitle(title);
  return (
    <Page
      flush
      title={title}
      actions={
        <>
          {params.rule && <span className="mono dim">{visible(params.rule)}</span>}
          <Spring />
          <Button variant="default" leftSection={<IconArrowLeft size={13} aria-hidden="true" />} renderRoot={(props) => <Link {...props} {...(params.rule ? linkOf(params.rule) : { to: '/rules' })} />}>
            Rules
          </Button>
        </>
      }
    >
      <Whole key={params.rule} rule={params.rule} side={params.side} show={(side) => set({ side })} />
    </Page>
  ); // prettier-ignore
}

const sides = [
  { id: 'check', label: 'Meaning' },
  { id: 'try', label: 'Try' },
  { id: 'backtest', label: 'Backtest' },
  { id: 'changes', label: 'Changes' },
] as const;

function Whole({ rule, side, show }: { rule: string; side: string; show: (side: string) => void }) {
  const draft = useDraft(rule);
  const shown = sides.find((s) => s.id === side) ?? sides[0];
  useHotkeys('Write a rule', sides.map((s, i) => ({ keys: String(i + 1), label: s.label, run: () => show(s.id) })));
  if (draft.error) return <div className={css.fault}><ErrorBox error={draft.error} doing="Open the rule" /></div>; // prettier-ignore
  return (
    <div className={css.page}>
      <div className={css.columns}>
        <Writing draft={draft} />
        <div className={css.column}>
          <Tabs value={shown.id} onChange={(v) => v && show(v)} keepMounted={false} className={css.sides!}>
            <Tabs.List>
              {sides.map((s) => (
                <Tabs.Tab key={s.id} value={s.id}>
                  {s.label}
                </Tabs.Tab>
              ))}
            </Tabs.List>
            <Tabs.Panel value="check" pt="md"><Checked draft={draft} /></Tabs.Panel>
            <Tabs.Panel value="try" pt="md"><Try draft={draft} /></Tabs.Panel>
            <Tabs.Panel value="backtest" pt="md"><Backtest draft={draft} /></Tabs.Panel>
            <Tabs.Panel value="changes" pt="md">
              {draft.running === undefined ? <EmptyState title="It is new">No rule of this id runs for the organization: there is nothing to compare with.</EmptyState> : <Changes before={draft.running} after={draft.text} same="What is written is what runs." />}
            </Tabs.Panel>
          </Tabs>
        </div>
      </div>
      <Save draft={draft} />
    </div>
  ); // prettier-ignore
}

function Writing({ draft }: { draft: Draft }) {
  const { text, write, check, start } = draft;
  const handle = useRef<EditorHandle>(null);
  const tenant = useRef(draft.tenant);
  tenant.current = draft.tenant;
  const [source] = useState(() => complete(() => tenant.current));
  const form = useForm(text, write);
  const problems = useMemo(() => problemsOf(text, check.value), [text, check.value]);
  return (
    <section className={css.column} aria-label="Rule">
      <header>
        {text.trim() === '' ? (
          <>
            <span>Paste a rule, Sigma as it is, or begin with a skeleton:</span>
            <Button variant="default" size="compact-xs" onClick={() => start('pattern')}>Pattern</Button>
            <Button variant="default" size="compact-xs" onClick={() => start('sigma')}>Sigma</Button>
          </>
        ) : (
          <SegmentedControl aria-label="How the rule is edited" value={form.value ? 'form' : 'text'} onChange={(v) => form.show(v === 'form')} data={[{ value: 'text', label: 'Text' }, { value: 'form', label: 'Form', disabled: form.why !== '' }]} />
        )}
        {form.why && text.trim() !== '' && <span className="dim">{form.why}</span>}
      </header>
{form.value ? (
        <Form value={form.value} change={form.change} tenant={draft.tenant} />
      ) : (
        <div className={css.editor}>
          <Suspense fallback={<p className="dim">The editor is loading…</p>}>
            <Editor label="Rule, YAML" value={text} onChange={write} problems={problems} complete={source} handle={handle} />
          </Suspense>
        </div>
      )}
      {problems.length > 0 && (
        <ul className={css.problems} aria-label="Mistakes">
          {problems.map((p, i) => (
            <li key={i} data-severity={p.severity ?? 'error'}>
              <button type="button" onClick={() => handle.current?.goTo(p)}>
                <span className="mono number">{p.line > 0 ? `${p.line}:${p.column}` : '–'}</span>
                <span>
                  {visible(p.text)}
                  {p.hint && <small>{visible(p.hint)}</small>}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {check.error !== undefined && <ErrorBox error={check.error} doing="Check the rule" />}
    </section>
  ); // prettier-ignore
}
