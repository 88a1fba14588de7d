import { useQuery } from '@connectrpc/connect-query';
import { ActionIcon, Button, Skeleton } from '@mantine/core';
import { IconArrowRight, IconX } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { type Condition, type GetIncidentResponse, type Incident, IncidentService } from '../gen/vedette/v1/incident_pb';
import { entitiesOf, millis, type Row } from '../live/row';
import { type Command, CommandButton } from '../triage/CommandButton';
import { Age } from '../ui/Age';
import { count } from '../ui/age';
import { Badge, OrganizationName } from '../ui/Badge';
import { CopyButton } from '../ui/Copy';
import { Keys } from '../ui/Keys';
import { Severity } from '../ui/Severity';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import css from './queue.module.css';

const refreshAfter = 1_000; // ms: an incident that fires ten times a second is asked for once a second

// Detail is a summary of the incident under the cursor: enough to decide whether to open it.
export function Detail({ row, commands, open, close }: { row: Row; commands: readonly Command[]; open: () => void; close: () => void }) {
  const { data, error, refetch } = useQuery(IncidentService.method.getIncident, { id: row.id }, { placeholderData: keepPreviousData });
  const fresh = data?.incident?.id === row.id ? data : undefined;
  const known = useRef(0);
  const updated = row.updated;
  useEffect(() => {
    if (known.current === updated) return;
    const timer = setTimeout(() => {
      known.current = updated;
      void refetch();
    }, refreshAfter);
    return () => clearTimeout(timer);
  }, [updated, row.id, refetch]);
  return (
    <div className={css.detail}>
      <header>
        <div className={css.detailTop}>
          <Severity value={row.severity} />
          <Badge tone={row.state === 'resolved' ? 'ok' : row.state === 'acknowledged' ? 'accent' : 'warn'}>{row.state}</Badge>
          {row.incident.verdict && <Badge>{row.incident.verdict.replaceAll('_', ' ')}</Badge>}
          <span className={css.spring} />
          <Button rightSection={<IconArrowRight size={14} />} onClick={open}>
            Open incident
          </Button>
          <ActionIcon aria-label="Close the pane" onClick={close}>
            <IconX size={15} />
          </ActionIcon>
        </div>
        <h2>{visible(row.title)}</h2>
        {fresh?.explanation?.headline && <p>{visible(fresh.explanation.headline)}</p>}
      </header>
      <div className={css.actions}>
        {commands.map((c) => (
          <CommandButton key={c.keys} command={c} />
        ))}
      </div>
      <Facts row={row} />
      {error && !fresh && <ErrorBox error={error} doing="Load the incident" retry={() => void refetch()} />}
      {fresh ? <More data={fresh} /> : !error && <Skeleton height={120} />}
      <footer className="dim">
        <Keys keys="Enter" /> opens it · <Keys keys="o" /> closes this pane
      </footer>
    </div>
  );
}

const shownValues = 3;

function byKind(incident: Incident): Map<string, string[]> {
  const out = new Map<string, string[]>();
  for (const { kind, value } of entitiesOf(incident)) {
    const known = out.get(kind) ?? [];
    if (!known.includes(value)) out.set(kind, [...known, value]);
  }
  return out;
}

function Facts({ row }: { row: Row }) {
  const { incident } = row;
  return (
    <dl className={css.facts}>
      <dt>Organization</dt>
      <dd>
        <OrganizationName id={row.tenant} />
      </dd>
      {[...byKind(incident)].map(([kind, values]) => (
        <div key={kind} className={css.pair}>
          <dt>{kind[0]!.toUpperCase() + kind.slice(1)}</dt>
          <dd className="mono">
            <span className="cut" title={values.map(visible).join(', ')}>
              {values.slice(0, shownValues).map(visible).join(', ')}
            </span>
            {values.length > shownValues && <span className="dim">+{values.length - shownValues}</span>}
            <CopyButton text={values.join('\n')} what={kind} />
          </dd>
        </div>
      ))}
      <dt>Rule</dt>
      <dd title={incident.rule}>{incident.ruleName || incident.rule}</dd>
      {incident.techniques.length > 0 && (
        <>
          <dt>ATT&CK</dt>
          <dd className="mono">{incident.techniques.join(', ')}</dd>
        </>
      )}
      <dt>Count</dt>
      <dd className="number">{count(row.count)}</dd>
      <dt>First seen</dt>
      <dd>
        <Age at={row.firstSeen} ago />
      </dd>
      <dt>Last seen</dt>
      <dd>
        <Age at={row.lastSeen} ago />
      </dd>
      <dt>Assignee</dt>
      <dd>{incident.assignee || <span className="dim">nobody</span>}</dd>
    </dl>
  );
}

const shownHistory = 5;

function More({ data }: { data: GetIncidentResponse }) {
  const parts = data.explanation?.parts.flatMap((p) => p.conditions.map((c) => ({ ...c, title: p.title || p.sub }))) ?? [];
  const conditions: (Condition & { title?: string })[] = parts.length > 0 ? parts : (data.incident?.conditions ?? []);
  const steps = data.explanation?.nextSteps ?? [];
  return (
    <>
      {conditions.length > 0 && (
        <section>
          <h3>Why it fired</h3>
          <ul className={css.conditions}>
            {conditions.map((c, i) => (
              <li key={i}>
                <span className="cut" title={visible(c.expr)}>
                  {visible(c.title || c.expr)}
                </span>
                <span className="number">
                  <strong>{visible(c.actual)}</strong> <span className="dim">of {visible(c.threshold)}</span>
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {steps.length > 0 && (
        <section>
          <h3>What to do next</h3>
          <ol className={css.steps}>
            {steps.map((s, i) => (
              <li key={i}>{visible(s)}</li>
            ))}
          </ol>
        </section>
      )}
      <section>
        <h3>History</h3>
        <ul className={css.history}>
          {data.history.slice(-shownHistory).toReversed().map((h) => (
            <li key={String(h.seq) + h.what}>
              <span>
                <strong>{h.who || 'Vedette'}</strong> {h.what}
                {h.what === 'commented' ? <q>{visible(h.detail)}</q> : h.what === 'merged' ? ' with another incident' : h.detail && ` · ${visible(h.detail.replaceAll('_', ' '))}`}
              </span>
              <span className="dim">
                <Age at={millis(h.at)} ago />
              </span>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}
