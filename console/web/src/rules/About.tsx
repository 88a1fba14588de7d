// What a rule looks for and at, what people should know of it, and what keeps it from working.

import { Button } from '@mantine/core';
import { IconTestPipe } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { rules } from '../api/clients';
import type { CheckRuleResponse, RuleTests } from '../gen/vedette/v1/rule_pb';
import { plural } from '../ui/age';
import { webLink } from '../ui/link';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import type { ViewProps } from './Detail';
import type { Kind } from './health';
import { packageOf } from './links';
import css from './rules.module.css';
import { whyOff } from './words';

const tested: ReadonlySet<Kind> = new Set(['tests', 'waiting', 'untested']); // stand beside the tests

export function About({ row, data, tenant }: ViewProps) {
  const { rule } = row;
  return (
    <div className={css.stack}>
      {!rule.enabled && <p className={css.note}>{visible(whyOff(rule))}</p>}
      {row.troubles.filter((t) => !tested.has(t.kind)).map((t) => (
        <p key={t.kind} className={css.note} data-bad="">
          {visible(t.text)}
        </p>
      ))}
      {rule.description && <p>{visible(rule.description)}</p>}
      <Meaning lines={data.meaning} />
      <Facts row={row} />
      <Tests text={data.text} tenant={tenant} of={rule.tests} />
      <Texts title="Harmless things that look alike" of={data.falsePositives} />
      <Texts title="What to do next" of={data.nextSteps} />
      <Texts title="Containment" of={data.containment} />
      <Texts title="Eradication" of={data.eradication} />
      {data.references.length > 0 && (
        <Part title="References">
          <ul className={css.plain}>
            {data.references.map((text) => (
              <li key={text}>{webLink(text) ? <a href={webLink(text)} target="_blank" rel="noopener noreferrer">{visible(text)}</a> : visible(text)}</li>
            ))}
          </ul>
        </Part>
      )}
    </div>
  ); // prettier-ignore
}

export function Part({ title, children, actions }: { title: string; children: ReactNode; actions?: ReactNode }) {
  return (
    <section className={css.part}>
      <div>
        <h3>{title}</h3>
        {actions}
      </div>
      {children}
    </section>
  );
}

// Meaning is what the host reads out of the document.
export function Meaning({ lines }: { lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <Part title="What it looks for">
      <ol className={css.meaning}>
        {lines.map((line, i) => (
          <li key={i}>{visible(line)}</li>
        ))}
      </ol>
    </Part>
  );
}

function Texts({ title, of }: { title: string; of: readonly string[] }) {
  if (of.length === 0) return null;
  return (
    <Part title={title}>
      <ul className={css.plain}>
        {of.map((text, i) => (
          <li key={i}>{visible(text)}</li>
        ))}
      </ul>
    </Part>
  );
}

function Facts({ row: { rule } }: Pick<ViewProps, 'row'>) {
  return (
    <dl className={css.facts}>
      {rule.techniques.length > 0 && (
        <>
          <dt>ATT&CK</dt>
          <dd>
            {rule.techniques.map((t) => (
              <Link key={t.id} to="/rules" search={{ tech: t.id } as never} title={visible(t.tactics.join(', '))}>
                <span className="mono">{visible(t.id)}</span> {visible(t.name)}
              </Link>
            ))}
          </dd>
        </>
      )}
      {rule.dataSources.length > 0 && (
        <>
          <dt>Needs</dt>
          <dd>{visible(rule.dataSources.join('; '))}</dd>
        </>
      )}
      <dt>Package</dt>
      <dd>
        <Link className="mono" {...packageOf(rule)}>{visible(rule.package)}</Link> <span className="number">{visible(rule.packageVersion)}</span>
        {rule.file && <span className="dim mono">{visible(rule.file)}</span>}
      </dd>
      <dt>Version</dt>
      <dd className="number">{visible(rule.version) || '–'}</dd>
      {rule.author && (
        <>
          <dt>Author</dt>
          <dd>{visible(rule.author)}</dd>
        </>
      )}
      {rule.license && (
        <>
          <dt>Licence</dt>
          <dd>{visible(rule.license)}</dd>
        </>
      )}
    </dl>
  );
}

type Run = { phase: 'none' | 'running' } | { phase: 'done'; answer: CheckRuleResponse } | { phase: 'failed'; error: unknown };

// Tests says what came of the rule's own tests on this version of the host, and runs them again.
function Tests({ text, tenant, of }: { text: string; tenant: number; of: RuleTests | undefined }) {
  const n = of?.count ?? 0;
  const [state, set] = useState<Run>({ phase: 'none' });
  const run = () => {
    set({ phase: 'running' });
    rules.checkRule({ text, tenant }).then((answer) => set({ phase: 'done', answer }), (error: unknown) => set({ phase: 'failed', error })); // prettier-ignore
  };
  const waiting = state.phase !== 'done' && of?.waiting;
  const tests = state.phase === 'done' ? state.answer.rules[0]?.rule?.tests : undefined;
  const wrong = (tests ?? of)?.failure;
  return (
    <Part
      title="Tests"
      actions={
        n > 0 && (
          <Button variant="default" size="compact-xs" leftSection={<IconTestPipe size={13} aria-hidden="true" />} loading={state.phase === 'running'} onClick={run}>
            Run
          </Button>
        )
      }
    >
      {state.phase === 'failed' && <ErrorBox error={state.error} doing="Run the tests" retry={run} />}
      <p role="status" className={wrong ? css.bad : n > 0 && !waiting ? css.good : 'dim'}>
        {n === 0 ? 'It has none: nothing says that it finds what it is meant to.' : wrong ? `One of ${plural(n, 'test')} fails: ${visible(wrong)}` : waiting ? `This version of the host has not run ${n === 1 ? 'its test' : `its ${n} tests`} yet.` : `${n === 1 ? 'Its test passes' : `All ${n} tests pass`}${state.phase === 'done' ? ', just now' : ''}.`}
      </p>
    </Part>
  ); // prettier-ignore
}
