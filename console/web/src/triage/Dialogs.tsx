import { useQuery } from '@connectrpc/connect-query';
import { Autocomplete, Button, Checkbox, Group, Modal, Radio, Select, Stack, Textarea } from '@mantine/core';
import { type FormEvent, type KeyboardEvent, type ReactNode, useMemo, useState } from 'react';
import { useSession } from '../app/session';
import { TenantService } from '../gen/vedette/v1/tenant_pb';
import { type Row, severities } from '../live/row';
import { plural } from '../ui/age';
import { visible } from '../ui/text';
import { saveCase } from './cases';
import css from './triage.module.css';
import type { Step } from './triage';

export interface Asking {
  kind: 'escalate' | 'close' | 'false' | 'note' | 'set' | 'merge';
  rows: readonly Row[];
}

const titles: Record<Asking['kind'], string> = { escalate: 'Escalate', close: 'Close', false: 'Close as a false positive:', note: 'Add a note to', set: 'Severity and assignee of', merge: 'Merge' };

const verdicts = [
  { value: 'true_positive', label: 'True positive', description: 'An attack or a breach of policy, and dealt with' },
  { value: 'false_positive', label: 'False positive', description: 'The rule was wrong: nothing of the kind happened' },
  { value: 'benign', label: 'Benign', description: 'It happened, and it was allowed' },
  { value: 'duplicate', label: 'Duplicate', description: 'Another incident covers it' },
];

const longestNote = 8_000; // characters; the host takes 8 KiB

// Desk is where triage is done from: a page that acts on incidents.
export interface Desk {
  // Does steps to incidents and says that it is done.
  act: (label: string, done: string, rows: readonly Row[], steps: readonly Step[]) => void;
  // Takes the keyboard's focus back after a dialog.
  focus: () => void;
}

// Dialogs asks for what an action needs, and then does it.
export function Dialogs({ asking, close, desk }: { asking: Asking | undefined; close: () => void; desk: Desk }) {
  const what = asking && (asking.rows.length === 1 ? visible(asking.rows[0]!.title) : plural(asking.rows.length, 'incident'));
  const body = { escalate: Escalate, close: Close, false: FalsePositive, note: Note, set: Change, merge: Merge };
  const Body = asking && body[asking.kind];
  return (
    <Modal opened={asking !== undefined} onClose={close} title={asking && `${titles[asking.kind]} ${what}`} onExitTransitionEnd={desk.focus}>
      {Body && <Body key={asking.kind} rows={asking.rows} desk={desk} close={close} />}
    </Modal>
  );
}

interface BodyProps {
  rows: readonly Row[];
  desk: Desk;
  close: () => void;
}

// sends lets ⌘ or Ctrl with Enter send a form from within its text, where Enter alone begins a line.
function sends(e: KeyboardEvent<HTMLFormElement>): void {
  if (e.key !== 'Enter' || !(e.ctrlKey || e.metaKey)) return;
  e.preventDefault();
  e.currentTarget.requestSubmit();
}

// Form calls then with the form's fields as text.
function Form({ label, then, close, children }: { label: string; then: (field: (name: string) => string) => void; close: () => void; children: ReactNode }) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    close();
    then((name) => String(data.get(name) ?? '').trim());
  };
  return (
    <form onSubmit={submit} onKeyDown={sends}>
      <Stack gap="md">
        {children}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit">{label}</Button>
        </Group>
      </Stack>
    </form>
  );
}

const comment = (text: string): Step[] => (text ? [{ action: 'comment', argument: text }] : []);

const NoteField = ({ required = false }: { required?: boolean }) => (
  <Textarea label={required ? 'Note' : 'Note, if there is something to say'} name="note" autosize minRows={3} maxRows={10} maxLength={longestNote} required={required} withAsterisk={false} data-autofocus={required || undefined} />
);

const Close = (props: BodyProps) => <Verdict {...props} initial="true_positive" keep={false} />;

// FalsePositive is Close with what is wanted of a false positive chosen already.
const FalsePositive = (props: BodyProps) => <Verdict {...props} initial="false_positive" keep />;

function Verdict({ rows, desk, close, initial, keep }: BodyProps & { initial: string; keep: boolean }) {
  const { can } = useSession();
  const [verdict, setVerdict] = useState(initial);
  const [kept, setKept] = useState(keep);
  const offered = verdict === 'false_positive' && rows.length === 1 && can('modules.change');
  const then = (field: (n: string) => string) => {
    desk.act('Close', `Closed as ${verdict.replaceAll('_', ' ')}`, rows, [...comment(field('note')), { action: 'resolve', argument: verdict }]);
    if (offered && kept) void saveCase(rows[0]!.id, field('shared') !== '');
  };
  return (
    <Form label="Close" then={then} close={close}>
      <Radio.Group name="verdict" label="Verdict" value={verdict} onChange={setVerdict}>
        <Stack gap="sm" mt={6}>
          {verdicts.map((v, i) => (
            <Radio key={v.value} {...v} size="xs" data-autofocus={(!keep && i === 0) || undefined} />
          ))}
        </Stack>
      </Radio.Group>
      {offered && (
        <Stack gap="sm" className={css.case}>
          <Checkbox
            size="xs"
            label="Keep its events as a case of the rule"
            description="Later versions of the rule that fire on them are refused"
            checked={kept}
            onChange={(e) => setKept(e.currentTarget.checked)}
            data-autofocus={keep || undefined}
          />
          {kept && can('global.change') && <Checkbox size="xs" name="shared" label="For all organizations" description="For a rule that they share; otherwise for versions of this organization only" />}
        </Stack>
      )}
      <NoteField />
    </Form>
  );
}

function Note({ rows, desk, close }: BodyProps) {
  return (
    <Form label="Add note" close={close} then={(field) => desk.act('Add a note', 'Note added', rows, comment(field('note')))}>
      <NoteField required />
    </Form>
  );
}

const severityOptions = severities.map((value) => ({ value, label: value[0]!.toUpperCase() + value.slice(1) }));

function Escalate({ rows, desk, close }: BodyProps) {
  const highest = Math.max(...rows.map((r) => r.rank));
  const next = severities[Math.max(0, severities.length - 1 - Math.min(highest + 1, severities.length - 1))]!;
  const then = (field: (n: string) => string) => {
    const severity = field('severity');
    const steps: Step[] = [{ action: 'severity', argument: severity }];
    if (field('assignee')) steps.push({ action: 'assign', argument: field('assignee') });
    desk.act('Escalate', `Escalated to ${severity}${field('assignee') ? `, assigned to ${field('assignee')}` : ''}`, rows, [...steps, ...comment(field('note'))]);
  };
  return (
    <Form label="Escalate" then={then} close={close}>
      <Select label="Severity" name="severity" data={severityOptions} defaultValue={next} allowDeselect={false} comboboxProps={{ withinPortal: true }} />
      <Assignee description="Who is to look at it next" autofocus />
      <NoteField />
    </Form>
  );
}

function Change({ rows, desk, close }: BodyProps) {
  const shared = (values: string[]) => (new Set(values).size === 1 ? values[0]! : '');
  const severity = shared(rows.map((r) => r.severity));
  const assignee = shared(rows.map((r) => r.incident.assignee));
  const then = (field: (n: string) => string) => {
    const steps: Step[] = [];
    const done: string[] = [];
    if (field('severity') && field('severity') !== severity) {
      steps.push({ action: 'severity', argument: field('severity') });
      done.push(`Severity ${field('severity')}`);
    }
    if (field('assignee') !== assignee) {
      steps.push({ action: 'assign', argument: field('assignee') });
      done.push(`Assigned to ${field('assignee') || 'nobody'}`);
    }
    if (steps.length > 0) desk.act('Change severity or assignee', done.join(', '), rows, steps);
  };
  return (
    <Form label="Change" then={then} close={close}>
      <Select label="Severity" name="severity" data={severityOptions} defaultValue={severity || null} placeholder="As they are" allowDeselect={false} data-autofocus />
      <Assignee initial={assignee} description="Empty for nobody" />
    </Form>
  );
}

function Assignee({ initial = '', description, autofocus }: { initial?: string; description: string; autofocus?: boolean }) {
  const { user } = useSession();
  const { data } = useQuery(TenantService.method.listUsers, {}, { retry: false, staleTime: 60_000 });
  const names = useMemo(() => [...new Set([user.name, ...(data?.users ?? []).filter((u) => !u.disabled).map((u) => u.name)])], [data, user.name]);
  return <Autocomplete label="Assignee" description={description} name="assignee" data={names} defaultValue={initial} openOnFocus={false} data-autofocus={autofocus || undefined} />;
}

function Merge({ rows, desk, close }: BodyProps) {
  const oldest = rows.reduce((a, b) => (b.opened < a.opened ? b : a));
  const [into, setInto] = useState(oldest.id);
  const then = () =>
    desk.act('Merge', 'Merged', rows.filter((r) => r.id !== into), [{ action: 'merge', argument: into }]);
  return (
    <Form label="Merge" then={then} close={close}>
      <Radio.Group label="Which one goes on?" description="The others are closed as its duplicates and point to it." value={into} onChange={setInto}>
        <Stack gap="sm" mt={8} className={css.choices}>
          {rows.map((r) => (
            <Radio key={r.id} value={r.id} size="xs" label={visible(r.title)} description={`Count ${r.count}`} data-autofocus={r.id === oldest.id || undefined} />
          ))}
        </Stack>
      </Radio.Group>
    </Form>
  );
}
