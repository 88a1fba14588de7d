// A pattern document as a form.

import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { useQuery } from '@connectrpc/connect-query';
import { ActionIcon, Autocomplete, Button, Select, TagsInput, Textarea, TextInput } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { EventService } from '../gen/vedette/v1/event_pb';
import { severities } from '../live/row';
import { Expression } from './Expression';
import { type FormValue, renamed, without, withPart } from './form';
import css from './form.module.css';
import { Group } from './Group';
import { SubForm } from './SubForm';

interface Props {
  value: FormValue;
  change: (value: FormValue) => void;
  tenant: number;
}

const severityOptions = severities.map((value) => ({ value, label: value[0]!.toUpperCase() + value.slice(1) }));

// useFields are the fields of the last day's events.
function useFields(tenant: number): string[] {
  const [from] = useState(() => timestampFromMs(Date.now() - 86_400_000));
  const { data } = useQuery(EventService.method.fieldNames, { query: { text: '*', from, tenants: tenant ? [tenant] : [] } }, { staleTime: 300_000, retry: false });
  return useMemo(() => (data?.names ?? []).map((n) => n.value), [data]);
}

export function Form({ value: f, change, tenant }: Props) {
  const fields = useFields(tenant);
  const set = (patch: Partial<FormValue>) => change({ ...f, ...patch });
  return (
    <div className={css.form}>
      <fieldset>
        <legend>What it is</legend>
        <div className={css.two}>
          <TextInput label="Name" value={f.name} onChange={(e) => set({ name: e.currentTarget.value })} />
          <Select label="Severity" data={severityOptions} value={f.severity} onChange={(severity) => severity && set({ severity })} allowDeselect={false} />
        </div>
        <div className={css.two}>
          <TextInput label="Id" description="State and incidents belong to it" value={f.id} onChange={(e) => set({ id: e.currentTarget.value })} />
          <TextInput label="Version" description="Semantic" value={f.version} onChange={(e) => set({ version: e.currentTarget.value })} />
        </div>
        <Textarea label="Description" value={f.description ?? ''} onChange={(e) => set({ description: e.currentTarget.value })} autosize minRows={2} maxRows={6} />
        <div className={css.half}>
          <Tags label="ATT&CK techniques" placeholder="T1110.001" value={f.techniques} change={(techniques) => set({ techniques })} />
          <Tags label="Data sources" placeholder="Logins over SSH" value={f.data_sources} change={(data_sources) => set({ data_sources })} />
        </div>
      </fieldset>
      {f.subs.map((s) => (
        <SubForm
          key={s.name}
          sub={s}
          fields={fields}
          change={(next) => change(next.name === s.name ? { ...f, subs: f.subs.map((x) => (x === s ? next : x)) } : renamed(f, s.name, next.name))}
          remove={f.subs.length > 1 ? () => change(without(f, s.name)) : undefined}
        />
      ))}
      <Button variant="default" className={css.add!} leftSection={<IconPlus size={14} aria-hidden="true" />} onClick={() => change(withPart(f))}>
        Add a part
      </Button>
      {f.expr && (
        <fieldset>
          <legend>How the parts are joined</legend>
          <Expression value={f.expr} subs={f.subs.map((s) => s.name)} change={(expr) => set({ expr })} />
          <div className={css.half}>
            <TextInput label="Within, unless said otherwise" placeholder="10m" value={f.window ?? ''} onChange={(e) => set({ window: e.currentTarget.value })} />
            <Tags label="Joined where" placeholder="fail.user.name == ok.user.name" value={f.join} change={(join) => set({ join })} />
          </div>
        </fieldset>
      )}
      <Incident f={f} set={set} fields={fields} />
      <Excepted value={f.exceptions ?? []} change={(exceptions) => set({ exceptions })} fields={fields} />
      <Written value={f.watchlist ?? []} change={(watchlist) => set({ watchlist })} fields={fields} />
      <fieldset>
        <legend>For whoever gets the incident</legend>
        <Lines label="Harmless things that look alike" value={f.false_positives} change={(false_positives) => set({ false_positives })} />
        <Lines label="What to do next" value={f.next_steps} change={(next_steps) => set({ next_steps })} />
        <Lines label="Containment" value={f.containment} change={(containment) => set({ containment })} />
        <Lines label="Eradication" value={f.eradication} change={(eradication) => set({ eradication })} />
        <Lines label="References" value={f.references} change={(references) => set({ references })} />
      </fieldset>
      <fieldset>
        <legend>Tests</legend>
        <Textarea aria-label="Tests, YAML" value={f.tests ?? ''} onChange={(e) => set({ tests: e.currentTarget.value })} autosize minRows={4} maxRows={16} spellCheck={false} classNames={{ input: css.mono! }} />
      </fieldset>
    </div>
  );
}

function Incident({ f, set, fields }: { f: FormValue; set: (patch: Partial<FormValue>) => void; fields: readonly string[] }) {
  return (
    <fieldset>
      <legend>The incident</legend>
      <TextInput label="Title" description="{field} of the key or of the event that completed it, {count}, {part.count}" value={f.title ?? ''} onChange={(e) => set({ title: e.currentTarget.value })} />
      <Tags label="One incident for each" placeholder="as the parts are grouped" value={f.key} data={fields} change={(key) => set({ key })} />
      <div className={css.half}>
        <TextInput label="No second notification within" placeholder="1h" value={f.suppress ?? ''} onChange={(e) => set({ suppress: e.currentTarget.value })} />
        <TextInput label="Ends after a quiet time of" placeholder="24h" value={f.clear?.after ?? ''} onChange={(e) => set({ clear: { ...f.clear, after: e.currentTarget.value } })} />
      </div>
    </fieldset>
  );
}

interface ListProps<T> {
  value: readonly T[];
  change: (value: T[]) => void;
  fields: readonly string[];
}

// Excepted are events that take no part, whoever runs the rule.
function Excepted({ value, change, fields }: ListProps<NonNullable<FormValue['exceptions']>[number]>) {
  const put = (i: number, patch: Partial<(typeof value)[number]>) => change(value.map((x, j) => (i === j ? { ...x, ...patch } : x)));
  return (
    <fieldset>
      <legend>Exceptions</legend>
      {value.map((x, i) => (
        <div key={i} className={css.nested}>
          <div className={css.group}>
            <TextInput label="Reason" value={x.reason} onChange={(e) => put(i, { reason: e.currentTarget.value })} />
            <Group label="Not events with" value={x.where} fields={fields} change={(where) => put(i, { where })} />
          </div>
          <ActionIcon aria-label="Take the exception out" onClick={() => change(value.filter((_, j) => i !== j))}>
            <IconX size={14} />
          </ActionIcon>
        </div>
      ))}
      <Button variant="default" size="compact-xs" className={css.add!} leftSection={<IconPlus size={12} aria-hidden="true" />} onClick={() => change([...value, { reason: '', where: { rows: [{ field: '', values: [] }] } }])}>
        Exception
      </Button>
    </fieldset>
  ); // prettier-ignore
}

// Written is what a firing writes to watch lists.
function Written({ value, change, fields }: ListProps<NonNullable<FormValue['watchlist']>[number]>) {
  const put = (i: number, patch: Partial<(typeof value)[number]>) => change(value.map((x, j) => (i === j ? { ...x, ...patch } : x)));
  return (
    <fieldset>
      <legend>Watch lists that it writes</legend>
      {value.map((w, i) => (
        <div key={i} className={css.written}>
          <TextInput aria-label="List" placeholder="list" value={w.name} onChange={(e) => put(i, { name: e.currentTarget.value })} />
          <Autocomplete aria-label="Field whose value is written" placeholder="field" data={[...fields]} limit={40} value={w.value} onChange={(v) => put(i, { value: v })} />
          <TextInput aria-label="Kept for" placeholder="24h" value={w.ttl} onChange={(e) => put(i, { ttl: e.currentTarget.value })} />
          <ActionIcon aria-label="Write nothing there" onClick={() => change(value.filter((_, j) => i !== j))}>
            <IconX size={14} />
          </ActionIcon>
        </div>
      ))}
      <Button variant="default" size="compact-xs" className={css.add!} leftSection={<IconPlus size={12} aria-hidden="true" />} onClick={() => change([...value, { name: '', value: '', ttl: '24h' }])}>
        List
      </Button>
    </fieldset>
  ); // prettier-ignore
}

const none: string[] = [];

export function Tags({ label, value, change, placeholder, data = none }: { label: string; value: readonly string[] | undefined; change: (value: string[]) => void; placeholder?: string; data?: readonly string[] }) {
  const has = (value?.length ?? 0) > 0;
  return <TagsInput label={label} size="xs" value={[...(value ?? [])]} onChange={change} data={[...data]} limit={60} splitChars={[',']} acceptValueOnBlur {...(placeholder && !has ? { placeholder } : {})} />; // prettier-ignore
}

// Lines is a list of texts, one a line.
function Lines({ label, value, change }: { label: string; value: readonly string[] | undefined; change: (value: string[]) => void }) {
  return <Textarea label={label} placeholder="One a line" value={(value ?? []).join('\n')} onChange={(e) => change(e.currentTarget.value === '' ? [] : e.currentTarget.value.split('\n'))} autosize minRows={1} maxRows={8} />; // prettier-ignore
}
