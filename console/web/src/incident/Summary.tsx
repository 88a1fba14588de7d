// Why it fired, and what to do next.

import { useQuery } from '@connectrpc/connect-query';
import { Checkbox } from '@mantine/core';
import { useState } from 'react';
import { RuleService } from '../gen/vedette/v1/rule_pb';
import { useNow } from '../ui/Age';
import { CopyButton } from '../ui/Copy';
import { Panel } from '../ui/Layout';
import { webLink } from '../ui/link';
import { visible } from '../ui/text';
import { doneOf, tick } from './checklist';
import css from './incident.module.css';
import { RulePart } from './RulePart';
import { beingStored, type ViewProps } from './useIncidentPage';

export function Summary({ page, loaded: { data, row }, openEvent }: ViewProps) {
  const why = data.explanation;
  const waiting = beingStored(data, useNow());
  const titles = new Map(why?.parts.map((p) => [p.sub, p.title]));
  return (
    <div className={css.summary}>
      <Panel title="Why it fired" className={css.why!}>
        <p className={css.about}>
          <strong>{visible(row.incident.ruleName || row.incident.rule)}.</strong> {visible(why?.description ?? '')}
        </p>
        {why && why.parts.length > 0 ? (
          <ol className={css.parts}>
            {why.parts.map((part, i) => (
              <RulePart key={part.sub} part={part} place={why.parts.length > 1 ? i + 1 : 0} titles={titles} waiting={waiting} openEvent={openEvent} />
            ))}
          </ol>
        ) : (
          <p className="dim">The rule of this incident is no longer on this host, and its events are no longer stored. What is known stands in the timeline.</p>
        )}
      </Panel>
      <div className={css.side}>
        <NextSteps id={page.id} steps={why?.nextSteps ?? []} />
        {why && why.falsePositives.length > 0 && (
          <Panel title="Harmless things that look alike">
            <ul className={css.list}>
              {why.falsePositives.map((text) => (
                <li key={text}>{visible(text)}</li>
              ))}
            </ul>
          </Panel>
        )}
        <Guidance rule={row.incident.rule} tenant={row.tenant} />
        <References references={why?.references ?? []} techniques={row.incident.techniques} />
      </div>
    </div>
  );
}

// Guidance is what the rule that runs now says on stopping it and on cleaning up.
function Guidance({ rule, tenant }: { rule: string; tenant: number }) {
  const { data } = useQuery(RuleService.method.getRule, { id: rule, tenant }, { retry: false, staleTime: Infinity });
  const parts = [{ title: 'Containment', of: data?.containment ?? [] }, { title: 'Eradication', of: data?.eradication ?? [] }];
  return (
    <>
      {parts.filter((p) => p.of.length > 0).map((p) => (
        <Panel key={p.title} title={p.title}>
          <ul className={css.list}>
            {p.of.map((text) => (
              <li key={text}>{visible(text)}</li>
            ))}
          </ul>
        </Panel>
      ))}
    </>
  ); // prettier-ignore
}

function NextSteps({ id, steps }: { id: string; steps: readonly string[] }) {
  const [done, setDone] = useState(() => doneOf(localStorage, id));
  const n = steps.filter((s) => done.has(s)).length;
  return (
    <Panel title="What to do next" actions={steps.length > 0 && <span className="dim number" title="Kept in this browser">{n} of {steps.length} done</span>}>
      {steps.length === 0 ? (
        <p className="dim">The rule names no steps. Look at the events, ask whoever owns the host, and write down what you find as a note.</p>
      ) : (
        <ol className={css.steps}>
          {steps.map((step, i) => (
            <li key={step} data-done={done.has(step) || undefined}>
              <Checkbox
                checked={done.has(step)}
                onChange={(e) => setDone(tick(localStorage, id, step, e.currentTarget.checked))}
                label={<><span className="number dim">{i + 1}</span> {visible(step)}</>}
              />
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

function References({ references, techniques }: { references: readonly string[]; techniques: readonly string[] }) {
  if (references.length === 0 && techniques.length === 0) return null;
  return (
    <Panel title="Reference">
      {techniques.length > 0 && (
        <p>
          <span className="dim">ATT&CK</span> <span className="mono">{techniques.map(visible).join(', ')}</span>
        </p>
      )}
      <ul className={css.references}>
        {references.map((text) => {
          const href = webLink(text);
          return (
            <li key={text}>
              {href ? (
                <a href={href} target="_blank" rel="noopener noreferrer" className="cut">
                  {visible(text)}
                </a>
              ) : (
                <span className="cut">{visible(text)}</span>
              )}
              <CopyButton text={text} what="the reference" />
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
