// Why a rule fired on an event, or did not.

import { useQuery } from '@connectrpc/connect-query';
import { Modal, Select } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { type ExplainEventResponse, type RuleKeyState, RuleService } from '../gen/vedette/v1/rule_pb';
import { millis } from '../live/row';
import { clock } from '../ui/age';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { linkOf } from './links';
import css from './rules.module.css';
import { Verdict } from './Verdict';

interface Props {
  // Undefined while nothing is asked.
  event: { readonly id: string; readonly tenant: number } | undefined;
  // Of the rule; empty until one is chosen.
  rule: string;
  choose: (rule: string) => void;
  close: () => void;
}

export function WhyNot({ event, close, ...props }: Props) {
  return (
    <Modal opened={event !== undefined} onClose={close} size="xl" title="Why did a rule fire on this event, or not?">
      {event && <Body event={event} {...props} />}
    </Modal>
  );
}

function Body({ event, rule, choose }: Pick<Props, 'rule' | 'choose'> & { event: NonNullable<Props['event']> }) {
  const list = useQuery(RuleService.method.listRules, { tenant: event.tenant, brief: true, atOnce: true });
  const options = useMemo(() => (list.data?.rules ?? []).map((r) => ({ value: r.id, label: `${visible(r.name)}${r.enabled ? '' : ' (off)'}` })).sort((a, b) => a.label.localeCompare(b.label)), [list.data]);
  const { data, error, isFetching, refetch } = useQuery(RuleService.method.explainEvent, { event: event.id, rule }, { enabled: rule !== '', retry: false });
  return (
    <div className={css.why}>
      <Select label="Rule" placeholder="Name of a rule" searchable data={options} value={rule || null} onChange={(v) => v && choose(v)} limit={100} maxDropdownHeight={280} nothingFoundMessage="No rule has that in its name" data-autofocus />
      {list.error && <ErrorBox error={list.error} doing="Load the rules" retry={() => void list.refetch()} />}
      <div role="status" aria-busy={isFetching}>
        {error && <ErrorBox error={error} doing="Explain the event" retry={() => void refetch()} />}
        {!error && data && <Answer of={data} rule={rule} />}
        {rule === '' && <EmptyState title="Choose a rule">Each of its parts says which test failed first, and what the event has instead.</EmptyState>}
      </div>
    </div>
  ); // prettier-ignore
}

function Answer({ of: { verdict, state }, rule }: { of: ExplainEventResponse; rule: string }) {
  if (!verdict) return null;
  return (
    <>
      <p className={css.said} data-matches={verdict.matches || undefined}>
        <strong>{verdict.matches ? 'The event takes part' : 'The event takes no part'}</strong> in <Link {...linkOf(rule)}>{visible(verdict.ruleName || rule)}</Link>.
      </p>
      <Verdict of={verdict} />
      {state && <State of={state} />}
    </>
  );
}

// State is how far the rule is with the event's key.
function State({ of: s }: { of: RuleKeyState }) {
  const key = Object.entries(s.key);
  return (
    <section className={css.part}>
      <div>
        <h3>What the rule knows of its key now</h3>
      </div>
      {key.length > 0 && <p className="mono">{key.map(([k, v]) => `${visible(k)}=${visible(v)}`).join(' ')}</p>}
      <ul className={css.plain}>
        {s.steps.map((step, i) => (
          <li key={i}>{visible(step)}</li>
        ))}
      </ul>
      {s.watermark && <p className="dim">Time has come to {clock(millis(s.watermark))} for it: what waits for a later moment is not decided yet.</p>}
    </section>
  );
}
