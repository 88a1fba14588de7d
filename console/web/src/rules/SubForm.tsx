// One part of a pattern: which events, of whom, how many.

import { ActionIcon, Autocomplete, Button, Select, TextInput } from '@mantine/core';
import { IconPlus, IconTrash, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { comparisons, type FormHaving, type FormSub, functions } from './form';
import css from './form.module.css';
import { Tags } from './Form';
import { Group } from './Group';

interface Props {
  sub: FormSub;
  fields: readonly string[];
  // A change of the name comes alone.
  change: (sub: FormSub) => void;
  remove: (() => void) | undefined;
}

export function SubForm({ sub: s, fields, change, remove }: Props) {
  const set = (patch: Partial<FormSub>) => change({ ...s, ...patch });
  const counted = (s.having?.length ?? 0) > 0;
  return (
    <fieldset className={css.sub}>
      <legend>Part {s.name}</legend>
      {remove && (
        <ActionIcon className={css.remove!} aria-label={`Take the part ${s.name} out`} onClick={remove}>
          <IconTrash size={15} />
        </ActionIcon>
      )}
      <div className={css.two} data-narrow="">
        <TextInput label="In words" placeholder="a failed login over SSH" value={s.title ?? ''} onChange={(e) => set({ title: e.currentTarget.value })} />
        <Name value={s.name} change={(name) => change({ ...s, name })} />
      </div>
      {s.rule !== undefined && <TextInput label="Firings of the rule" value={s.rule} onChange={(e) => set({ rule: e.currentTarget.value })} />}
      <Group label="Events with" value={s.where ?? { rows: [] }} fields={fields} change={(where) => set({ where })} />
      <Tags label="Each by itself, by" placeholder="no grouping" value={s.by} data={fields} change={(by) => set({ by })} />
      {(s.having ?? []).map((h, i) => (
        <Having key={i} value={h} fields={fields} change={(next) => set({ having: s.having!.map((x, j) => (i === j ? next : x)) })} remove={() => set({ having: s.having!.filter((_, j) => i !== j) })} />
      ))}
      <div className={css.line}>
        {!s.first_seen && (
          <Button variant="default" size="compact-xs" leftSection={<IconPlus size={12} aria-hidden="true" />} onClick={() => set({ having: [...(s.having ?? []), { func: 'count', op: '>=', threshold: '10' }], window: s.window || '5m' })}>
            {counted ? 'And a condition' : 'Only from so many on'}
          </Button>
        )}
        {!counted && !s.first_seen && (
          <Button variant="default" size="compact-xs" leftSection={<IconPlus size={12} aria-hidden="true" />} onClick={() => set({ first_seen: { fields: [], within: '30d', learn: '7d' } })}>
            Only values never seen
          </Button>
        )}
      </div>
      {counted && (
        <div className={css.three}>
          <TextInput label="Within" placeholder="5m" value={s.window ?? ''} onChange={(e) => set({ window: e.currentTarget.value })} />
          <Select label="Windows" data={[{ value: 'sliding', label: 'sliding' }, { value: 'tumbling', label: 'tumbling' }, { value: 'session', label: 'session' }]} value={s.windows || 'sliding'} onChange={(v) => v && set({ windows: v === 'sliding' ? '' : v })} allowDeselect={false} />
          {s.windows === 'session' && <TextInput label="Gap" placeholder="10m" value={s.gap ?? ''} onChange={(e) => set({ gap: e.currentTarget.value })} />}
        </div>
      )}
      {(s.baseline || s.having?.some((h) => /\bstat\./.test(h.threshold))) && <Baseline value={s.baseline ?? {}} fields={fields} change={(baseline) => set({ baseline })} />}
      {s.first_seen && <FirstSeen value={s.first_seen} fields={fields} change={(first_seen) => change(withFirst(s, first_seen))} />}
    </fieldset>
  );
}

function withFirst(s: FormSub, first: FormSub['first_seen']): FormSub {
  const { first_seen: _, ...rest } = s;
  return first ? { ...rest, first_seen: first } : rest;
}

// Name changes a part's name when it is left: until then it is not that of a part.
function Name({ value, change }: { value: string; change: (name: string) => void }) {
  const [text, setText] = useState(value);
  return <TextInput label="Name" value={text} onChange={(e) => setText(e.currentTarget.value)} onBlur={() => text.trim() !== '' && text !== value && change(text.trim())} />; // prettier-ignore
}

function Having({ value: h, fields, change, remove }: { value: FormHaving; fields: readonly string[]; change: (h: FormHaving) => void; remove: () => void }) {
  const choose = (func: string) => {
    const { rank: _, fields: of, ...rest } = h;
    change({ ...rest, func, ...(func === 'count' ? {} : { fields: of ?? [''] }), ...(func === 'percentile' ? { rank: '95' } : {}) });
  };
  return (
    <div className={css.having}>
      <Select aria-label="Function" data={[...functions]} value={h.func} onChange={(v) => v && choose(v)} allowDeselect={false} />
      {h.func !== 'count' && <Autocomplete aria-label="Field" placeholder="field" data={[...fields]} limit={40} value={(h.fields ?? []).join(', ')} onChange={(v) => change({ ...h, fields: v.split(/\s*,\s*/) })} />}
      {h.func === 'percentile' && <TextInput aria-label="Rank, 0 to 100" className={css.rank!} value={h.rank ?? ''} onChange={(e) => change({ ...h, rank: e.currentTarget.value })} />}
      <Select aria-label="Comparison" className={css.op!} data={[...comparisons]} value={h.op} onChange={(v) => v && change({ ...h, op: v })} allowDeselect={false} />
      <TextInput aria-label="Threshold" placeholder="10, or 3*stat.std + stat.mean" value={h.threshold} onChange={(e) => change({ ...h, threshold: e.currentTarget.value })} />
      <ActionIcon aria-label="Take the condition out" onClick={remove}>
        <IconX size={14} />
      </ActionIcon>
    </div>
  );
}

const slots = [{ value: 'none', label: 'any time' }, { value: 'hour', label: 'each hour of the day' }, { value: 'hour_of_week', label: 'each hour of the week' }];

// Baseline says how stat.mean and stat.std are learnt.
function Baseline({ value: b, fields, change }: { value: NonNullable<FormSub['baseline']>; fields: readonly string[]; change: (b: NonNullable<FormSub['baseline']>) => void }) {
  return (
    <div className={css.three}>
      <Select label="Learnt for" data={slots} value={b.slots || 'none'} onChange={(v) => v && change({ ...b, slots: v === 'none' ? '' : v })} allowDeselect={false} />
      <TextInput label="From so many windows on" placeholder="3" value={b.least ?? ''} onChange={(e) => change({ ...b, least: e.currentTarget.value })} />
      <Autocomplete label="Together with peers of" placeholder="each alone" data={[...fields]} limit={40} value={b.peers ?? ''} onChange={(peers) => change({ ...b, peers })} />
    </div>
  );
}

function FirstSeen({ value: f, fields, change }: { value: NonNullable<FormSub['first_seen']>; fields: readonly string[]; change: (f: FormSub['first_seen']) => void }) {
  return (
    <div className={css.seen}>
      <Tags label="Never seen together" value={f.fields} data={fields} change={(names) => change({ ...f, fields: names })} />
      <TextInput label="Within" value={f.within} onChange={(e) => change({ ...f, within: e.currentTarget.value })} />
      <TextInput label="Learns for" value={f.learn ?? ''} onChange={(e) => change({ ...f, learn: e.currentTarget.value })} />
      <ActionIcon aria-label="Any value counts" onClick={() => change(undefined)}>
        <IconX size={14} />
      </ActionIcon>
    </div>
  );
}
