// Keeping events from a rule: proposed from an incident, or written.

import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { useQuery } from '@connectrpc/connect-query';
import { Button, Checkbox, Modal, Select, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useEffect, useState } from 'react';
import { rules } from '../api/clients';
import { useOrganization } from '../app/organization';
import { RuleService } from '../gen/vedette/v1/rule_pb';
import { failed, notice } from '../ui/notice';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Line, selectionOf, terms, untilOf } from './except';
import css from './rules.module.css';
import { forgetRules } from './useRules';

const beingStored = 1_000; // ms until events that have only just come are asked for again

interface Props {
  opened: boolean;
  rule: string;
  name: string;
  tenant: number;
  // Whose evidence lines are proposed from.
  incident?: { readonly id: string; readonly title: string } | undefined;
  close: () => void;
}

export function Except({ opened, close, ...props }: Props) {
  return (
    <Modal opened={opened} onClose={close} size="lg" title={`Keep events from “${visible(props.name)}”`}>
      {opened && <Form key={props.incident?.id ?? props.rule} close={close} {...props} />}
    </Modal>
  );
}

function Form({ rule, name, tenant, incident, close }: Omit<Props, 'opened'>) {
  const organization = useOrganization();
  const proposed = useQuery(RuleService.method.proposeException, { incident: incident?.id ?? '' }, { enabled: incident !== undefined, retry: false, staleTime: Infinity, refetchInterval: (q) => (q.state.data?.lines.length === 0 ? beingStored : false) });
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [where, setWhere] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (!proposed.data) return;
    setLines(proposed.data.lines);
    setWhere((written) => written || proposed.data.where);
  }, [proposed.data]);
  const choose = (i: number, chosen: boolean) => {
    const next = lines.map((l, j) => (i === j ? { field: l.field, value: l.value, chosen } : l));
    setLines(next);
    setWhere(selectionOf(next));
  };
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const until = untilOf(String(form.get('term')), Date.now());
    setBusy(true);
    setError(undefined);
    try {
      const { exception } = await rules.addException({ rule, tenant, reason: String(form.get('reason')).trim(), where, ...(until ? { until: timestampFromMs(until) } : {}) });
      const id = exception!.id;
      notice(`What it selects takes no part in “${visible(name)}” from the next record on.`, () =>
        void rules.removeException({ id, rule, tenant }).then(forgetRules, (e) => failed('Undo', e)),
      );
      void forgetRules();
      close();
    } catch (e) {
      setError(e);
    }
    setBusy(false);
  };
  return (
    <form onSubmit={(e) => void submit(e)} className={css.except}>
      <p className="dim">For {visible(organization.name(tenant))} only. The rule’s package stays as it is, and so does what the rule has seen so far.</p>
      {proposed.error && <ErrorBox error={proposed.error} doing="Propose an exception" retry={() => void proposed.refetch()} />}
      {incident && proposed.data && lines.length === 0 && <p role="status">Its events have only just come: what they have in common will be proposed in a moment.</p>}
      {lines.length > 0 && (
        <fieldset>
          <legend>Events with all of these take no part</legend>
          <div className={css.lines}>
            {lines.map((l, i) => (
            <Checkbox
              key={`${l.field}\n${l.value}`}
              checked={l.chosen}
              onChange={(e) => choose(i, e.currentTarget.checked)}
              label={<span className={css.pair}><span className="mono dim">{visible(l.field)}</span> <span className="mono">{visible(l.value)}</span></span>}
            />
          ))}
          </div>
        </fieldset>
      )}
      <Textarea
        label={lines.length > 0 ? 'As a selection' : 'Events that take no part'}
        description="Field tests of the pattern language, a line each: source.ip|cidr: 10.0.0.0/8"
        value={where}
        onChange={(e) => setWhere(e.currentTarget.value)}
        autosize
        minRows={2}
        maxRows={8}
        required
        withAsterisk={false}
        spellCheck={false}
        classNames={{ input: css.mono! }}
        {...(incident ? {} : { 'data-autofocus': true })}
      />
      <div className={css.two}>
        <TextInput name="reason" label="Reason" description="For whoever finds it later" defaultValue={incident ? `Harmless: ${incident.title}`.slice(0, 250) : ''} maxLength={1_000} required withAsterisk={false} />
        <Select name="term" label="Holds" description="Of the log’s time" data={terms.map((t) => ({ ...t }))} defaultValue="90" allowDeselect={false} />
      </div>
      {error !== undefined && <ErrorBox error={error} doing="Save the exception" />}
      <div className={css.end}>
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" loading={busy} disabled={where.trim() === ''} {...(incident ? { 'data-autofocus': true } : {})}>
          Save the exception
        </Button>
      </div>
    </form>
  ); // prettier-ignore
}
