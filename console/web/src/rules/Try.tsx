// Running the document over events that are pasted, or that are stored.

import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Button, SegmentedControl, Select, Textarea, TextInput } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { rules } from '../api/clients';
import { useSession } from '../app/session';
import { messageOf } from '../event';
import type { RunRuleResponse, RunVerdict } from '../gen/vedette/v1/rule_pb';
import { millis } from '../live/row';
import { clock } from '../ui/age';
import { useLatest } from '../ui/latest';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import css from './editor.module.css';
import { Incidents } from './Incidents';
import { type Kind, mostStored, periods, reasonOf, select, summaryOf } from './run';
import type { Draft } from './useDraft';
import { Verdict } from './Verdict';

const typing = 400; // ms
const sample = '{"event.action": "ssh_login", "event.outcome": "failure", "source.ip": "203.0.113.7", "user.name": "root"}';

type Question = Parameters<typeof rules.runRule>[0];

export function Try({ draft: { text, tenant, check } }: { draft: Draft }) {
  const { whyNot } = useSession();
  const [from, setFrom] = useState<'pasted' | 'stored'>('pasted');
  const [pasted, paste] = useState('');
  const [query, setQuery] = useState('*');
  const [period, setPeriod] = useState('3600');
  const [ask, answer] = useLatest((q: Question, signal) => rules.runRule(q, { signal }), typing);
  const broken = text.trim() === '' ? 'There is no rule yet.' : check.value?.problems.length ? 'The rule has mistakes.' : '';
  const why = broken || (from === 'stored' ? whyNot('events.read') : '');
  // What is pasted runs while somebody types in either; what is stored when it is asked for.
  const stored = useRef(false);
  useEffect(() => {
    if (from === 'stored' && stored.current) return;
    ask.put(from === 'pasted' && pasted.trim() !== '' && broken === '' ? { text, tenant, events: { case: 'jsonl', value: pasted } } : undefined);
  }, [ask, from, pasted, text, tenant, broken]);
  const run = () => {
    stored.current = true;
    ask.put({ text, tenant, events: { case: 'query', value: { text: query.trim() || '*', from: timestampFromMs(Date.now() - Number(period) * 1_000), limit: mostStored, tenants: tenant ? [tenant] : [] } } as never });
  };
  const choose = (v: string) => {
    stored.current = false;
    setFrom(v as 'pasted' | 'stored');
  };
  return (
    <div className={css.try}>
      <SegmentedControl aria-label="Events" value={from} onChange={choose} data={[{ value: 'pasted', label: 'Pasted events' }, { value: 'stored', label: 'Stored events' }]} />
      {from === 'pasted' ? (
        <Textarea aria-label="Events as JSON, one a line" placeholder={sample} value={pasted} onChange={(e) => paste(e.currentTarget.value)} autosize minRows={4} maxRows={10} spellCheck={false} classNames={{ input: css.mono! }} />
      ) : (
        <form
          className={css.query}
          onSubmit={(e) => {
            e.preventDefault();
            if (!why) run();
          }}
        >
          <TextInput aria-label="Query, LogsQL" value={query} onChange={(e) => setQuery(e.currentTarget.value)} spellCheck={false} classNames={{ input: css.mono! }} />
          <Select aria-label="Period" data={periods.map((p) => ({ ...p }))} value={period} onChange={(v) => v && setPeriod(v)} allowDeselect={false} />
          <Button type="submit" loading={answer.busy} disabled={why !== ''} title={why} leftSection={<IconPlayerPlay size={13} aria-hidden="true" />}>
            Run
          </Button>
        </form>
      )}
      {why && <p className="dim">{why}</p>}
      {answer.error !== undefined && <ErrorBox error={answer.error} doing="Run the rule" />}
      {answer.value ? <Results of={answer.value} busy={answer.busy} /> : !why && !answer.busy && answer.error === undefined && <EmptyState title="Which events would it take?">{from === 'pasted' ? 'Paste events as JSON, one a line, by their ECS names. Each says why it takes part in the rule, or which test fails first.' : `The newest ${mostStored.toLocaleString('en-US')} events of the query run through the rule as it is written. Nothing is kept.`}</EmptyState>}
    </div>
  ); // prettier-ignore
}

function Results({ of: r, busy }: { of: RunRuleResponse; busy: boolean }) {
  const [kind, setKind] = useState<Kind>('all');
  const shown = select(r.verdicts, kind);
  if (r.problems.length > 0) return <p className={css.bad}>{r.problems.map((p) => `${p.line > 0 ? `Line ${p.line}: ` : ''}${visible(p.text)}`).join(' ')}</p>;
  return (
    <div className={css.results} aria-busy={busy}>
      <p role="status">
        <strong>{summaryOf(r)}</strong>
      </p>
      <Incidents list={r.incidents} />
      {r.verdicts.length > 0 && (
        <>
          <SegmentedControl aria-label="Which events" value={kind} onChange={(v) => setKind(v as Kind)} data={[{ value: 'all', label: 'All' }, { value: 'match', label: 'Take part' }, { value: 'other', label: 'Take no part' }]} />
          <ol className={css.verdicts}>
            {shown.map((v) => (
              <One key={v.event?.id || v.line} verdict={v} />
            ))}
          </ol>
          {shown.length < r.events && kind === 'all' && <p className="dim">Of {r.events.toLocaleString('en-US')} events {shown.length.toLocaleString('en-US')} are shown.</p>}
        </>
      )}
    </div>
  ); // prettier-ignore
}

const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

function One({ verdict: v }: { verdict: RunVerdict }) {
  const [open, setOpen] = useState(false);
  const at = millis(v.event?.time);
  return (
    <li data-matches={v.verdict?.matches || undefined}>
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        <b>{v.verdict?.matches ? '✓' : '✗'}<span className="unseen">{v.verdict?.matches ? ' takes part' : ' takes no part'}</span></b>
        <span className="cut">{visible(reasonOf(v))}</span>
        <small>
          <span className="number" title={v.line > 0 ? undefined : clock(at)}>{v.line > 0 ? `line ${v.line}` : time.format(at)}</span>
          {v.event && <span className="cut mono">{visible(messageOf(v.event).slice(0, 300))}</span>}
        </small>
      </button>
      {open && v.verdict && <Verdict of={v.verdict} />}
    </li>
  ); // prettier-ignore
}
