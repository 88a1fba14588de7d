// What a rule has learnt, and how it forgets it.

import { useQuery } from '@connectrpc/connect-query';
import { Button, Modal, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import { rules } from '../api/clients';
import { useSession } from '../app/session';
import { type Learnt as Known, RuleService } from '../gen/vedette/v1/rule_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { count, plural } from '../ui/age';
import { failed, notice } from '../ui/notice';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import type { ViewProps } from './Detail';
import { learntKey, readForm } from './form';
import css from './rules.module.css';
import { forgetRules } from './useRules';

const figure = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });

export function Learnt({ row, data: { text: document }, tenant }: ViewProps) {
  const { whyNot } = useSession();
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text.trim(), 200);
  const [forgetting, forget] = useState<Known | 'all'>();
  const { data, error, refetch } = useQuery(RuleService.method.listLearnt, { rule: row.rule.id, tenant, text: search }, { enabled: tenant !== 0, retry: false, placeholderData: (old) => old });
  const why = whyNot('modules.change');
  if (tenant === 0) return <EmptyState title="Choose an organization">What a rule learns, it learns of each organization by itself.</EmptyState>;
  if (error) return <ErrorBox error={error} doing="Load what it has learnt" retry={() => void refetch()} />;
  const send = async () => {
    try {
      await rules.relearn({ rule: row.rule.id, tenant, key: forgetting === 'all' ? [] : await keyOf(document, forgetting!.key) });
      notice('It learns anew from the next event on.');
      await forgetRules();
    } catch (e) {
      failed('Have it learn anew', e);
    }
    forget(undefined);
  };
  return (
    <div className={css.stack}>
      <div className={css.line}>
        <TextInput aria-label="Filter keys" placeholder="Value of a key" value={text} onChange={(e) => setText(e.currentTarget.value)} />
        {data && <span className="dim number" role="status">{plural(Number(data.total), 'key')}</span>}
        <Button variant="default" disabled={why !== '' || !data || data.total === 0n} title={why} onClick={() => forget('all')}>
          Forget all
        </Button>
      </div>
      {data?.learnt.length === 0 && <EmptyState title={search ? 'No key has that value' : 'Nothing yet'}>{search ? 'Look for something else.' : 'It learns from the events that take part in it.'}</EmptyState>}
      <ul className={css.learnt}>
        {data?.learnt.map((l) => (
          <li key={Object.values(l.key).join('\n')}>
            <div className={css.line}>
              <strong>{keyWords(l.key)}</strong>
              <small className="dim">since <Age at={millis(l.since)} ago />, newest <Age at={millis(l.newest)} ago /></small>
              <Button variant="subtle" size="compact-xs" disabled={why !== ''} title={why} onClick={() => forget(l)}>
                Forget<span className="unseen"> {keyWords(l.key)}</span>
              </Button>
            </div>
            {l.values.length > 0 && (
              <p className="mono">
                {visible(l.values.join(', '))}
                {l.valueCount > BigInt(l.values.length) && <span className="dim"> and {count(l.valueCount - BigInt(l.values.length))} more</span>}
              </p>
            )}
            {l.slots.length > 0 && <Slots of={l} />}
          </li>
        ))}
      </ul>
      <Modal opened={forgetting !== undefined} onClose={() => forget(undefined)} title="Forget what was learnt?">
        <div className={css.stack}>
          <p>{forgetting === 'all' ? `Of all ${plural(Number(data?.total ?? 0n), 'key')} of this organization.` : forgetting && `Of ${keyWords(forgetting.key)}.`} Until it has learnt enough again the rule raises nothing that compares with it. The log keeps that it was forgotten, and a replay does so too.</p>
          <div className={css.end}>
            <Button variant="default" onClick={() => forget(undefined)}>Cancel</Button>
            <Button color="red" data-autofocus onClick={() => void send()}>Forget</Button>
          </div>
        </div>
      </Modal>
    </div>
  ); // prettier-ignore
}

async function keyOf(document: string, key: Readonly<Record<string, string>>): Promise<string[]> {
  const { form } = await rules.formRule({ from: { case: 'text', value: document } });
  return learntKey(readForm(form), key);
}

const keyWords = (key: Readonly<Record<string, string>>): string => visible(Object.values(key).join(', ')) || 'every event';

function Slots({ of }: { of: Known }) {
  return (
    <table className={css.slots}>
      <thead>
        <tr>
          <th scope="col">Slot (UTC)</th>
          <th scope="col">Mean</th>
          <th scope="col">Deviation</th>
          <th scope="col">Samples</th>
        </tr>
      </thead>
      <tbody>
        {of.slots.map((s) => (
          <tr key={s.slot}>
            <td>{s.slot === 'none' ? 'any time' : visible(s.slot)}</td>
            <td>{figure.format(s.mean)}</td>
            <td>{figure.format(s.deviation)}</td>
            <td>{count(s.samples)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
