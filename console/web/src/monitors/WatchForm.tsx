// How a watch polls: its schedule, the monitor's settings, and what it may do at the device.

import { NumberInput, Select, Switch, TagsInput, Textarea, TextInput } from '@mantine/core';
import { useMemo } from 'react';
import { useSession } from '../app/session';
import type { Monitor } from '../gen/vedette/v1/monitor_pb';
import { span } from './duration';
import { type Draft, problemsOf } from './draft';
import css from './monitors.module.css';
import { type Field, fieldsOf, parse, textOf, valueOf } from './schema';

interface Props {
  draft: Draft;
  monitor: Monitor | undefined;
  change: (patch: Partial<Draft>) => void;
  // Which of them says what is wrong; a form that nobody has touched does not.
  touched: boolean;
}

export function WatchForm({ draft, monitor: m, change, touched }: Props) {
  const problems = touched ? problemsOf(draft) : {};
  const fields = useMemo(() => fieldsOf(m?.schema ?? ''), [m]);
  const said = (ms: bigint | undefined) => (ms ? span(Number(ms)) : '');
  const time = (name: 'interval' | 'jitter' | 'timeout', label: string, fallback: string) => (
    <TextInput label={label} placeholder={fallback} value={draft[name]} error={problems[name]} onChange={(e) => change({ [name]: e.currentTarget.value })} />
  );
  return (
    <div className={css.form}>
      <fieldset>
        <legend>Schedule</legend>
        <div className={css.three}>
          {time('interval', 'Every', said(m?.intervalMs) || '1 m')}
          {time('jitter', 'Jitter', said(m?.jitterMs) || 'none')}
          {time('timeout', 'Timeout', said(m?.timeoutMs) || '10 s')}
        </div>
        <p className="dim">Left empty, what the monitor says holds: it stands in grey.</p>
      </fieldset>
      {fields.length > 0 && (
        <fieldset>
          <legend>Settings</legend>
          {fields.map((f) => (
            <Setting key={f.name} field={f} inherited={parse(m?.settings ?? '')[f.name]} value={draft.values[f.name]} set={(v) => change({ values: { ...draft.values, [f.name]: v } })} />
          ))}
        </fieldset>
      )}
      <Grant draft={draft} monitor={m} change={change} problems={problems} />
    </div>
  ); // prettier-ignore
}

interface SettingProps {
  field: Field;
  inherited: unknown;
  value: unknown;
  set: (value: unknown) => void;
}

function Setting({ field, inherited, value, set }: SettingProps) {
  const fallback = inherited ?? field.fallback;
  const shared = {
    label: field.name, description: field.about || undefined, required: field.required, withAsterisk: field.required,
    placeholder: fallback === undefined ? '' : textOf(field, fallback).replaceAll('\n', ', '),
  }; // prettier-ignore
  const text = (t: string) => set(valueOf(field, t));
  switch (field.kind) {
    case 'switch':
      return <Switch label={field.name} description={field.about} checked={Boolean(value ?? fallback)} onChange={(e) => set(e.currentTarget.checked)} />;
    case 'choice':
      return <Select {...shared} data={[...field.choices]} value={typeof value === 'string' ? value : null} onChange={(v) => set(v ?? undefined)} clearable />;
    case 'integer':
    case 'number':
      return <NumberInput {...shared} allowDecimal={field.kind === 'number'} hideControls value={typeof value === 'number' ? value : ''} onChange={(v) => set(v === '' ? undefined : Number(v))} />;
    case 'list':
      return <TagsInput {...shared} size="xs" value={Array.isArray(value) ? value.map(String) : []} onChange={(v) => set(v.length > 0 ? v : undefined)} />;
    case 'json':
      return <Textarea {...shared} autosize minRows={2} defaultValue={textOf(field, value)} onBlur={(e) => text(e.currentTarget.value)} />;
    default:
      return <TextInput {...shared} value={textOf(field, value)} onChange={(e) => text(e.currentTarget.value)} />;
  }
}

interface GrantProps extends Omit<Props, 'touched'> {
  problems: Partial<Record<keyof Draft, string>>;
}

// Grant is what the watch may do at its device: an admin says it.
function Grant({ draft, monitor: m, change, problems }: GrantProps) {
  const { whyNot } = useSession();
  const why = whyNot('devices.change');
  const asks = (capability: string) => m?.targets.some((t) => t.capabilities.includes(capability)) ?? false;
  const [ports, commands] = [asks('vedette_probe_v1') || draft.ports !== '', asks('vedette_ssh_v1') || draft.commands !== ''];
  const oids = m?.targets.flatMap((t) => t.oids) ?? [];
  if (!ports && !commands && oids.length === 0) return null;
  return (
    <fieldset disabled={why !== ''}>
      <legend>What it may do there</legend>
      {why && <p className="dim">{why}</p>}
      {ports && <TextInput label="Ports that it may connect to" value={draft.ports} error={problems.ports} onChange={(e) => change({ ports: e.currentTarget.value })} />}
      {commands && (
        <Textarea
          label="Commands that it may run"
          description="One a line: the name by which the settings call it, a colon, the command"
          classNames={{ input: 'mono' }}
          autosize
          minRows={2}
          maxRows={8}
          value={draft.commands}
          error={problems.commands}
          onChange={(e) => change({ commands: e.currentTarget.value })}
        />
      )}
      {oids.length > 0 && <p className="dim">It reads below {oids.join(', ')}.</p>}
    </fieldset>
  );
}
