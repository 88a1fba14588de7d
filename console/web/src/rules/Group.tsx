// A selection: tests of fields that must all hold, or of which one must, with selections in it.

import { ActionIcon, Autocomplete, Button, Select, TagsInput } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { type FormGroup, type FormRow, testOf, tests, valued, withTest } from './form';
import css from './form.module.css';

interface Props {
  label: string;
  value: FormGroup;
  fields: readonly string[];
  change: (g: FormGroup) => void;
}

export function Group({ label, value: g, fields, change }: Props) {
  const put = (rows: readonly FormRow[]) => change({ ...g, rows });
  return (
    <div className={css.group} role="group" aria-label={label}>
      <div className={css.line}>
        <span>{label}</span>
        <Select aria-label={`${label}: all or one`} className={css.all!} data={[{ value: 'all', label: 'all of' }, { value: 'any', label: 'one of' }]} value={g.any ? 'any' : 'all'} onChange={(v) => change({ ...(v === 'any' ? { any: true } : {}), rows: g.rows })} allowDeselect={false} />
      </div>
      {g.rows.map((r, i) => {
        const next = (row: FormRow) => put(g.rows.map((x, j) => (i === j ? row : x)));
        const remove = () => put(g.rows.filter((_, j) => i !== j));
        return r.group ? <Nested key={i} row={r} fields={fields} change={next} remove={remove} /> : <Row key={i} row={r} fields={fields} change={next} remove={remove} />;
      })}
      <div className={css.line}>
        <Button variant="default" size="compact-xs" leftSection={<IconPlus size={12} aria-hidden="true" />} onClick={() => put([...g.rows, { field: '', values: [] }])}>
          Test
        </Button>
        <Button variant="default" size="compact-xs" leftSection={<IconPlus size={12} aria-hidden="true" />} onClick={() => put([...g.rows, { group: { any: true, rows: [{ field: '', values: [] }] } }])}>
          Group
        </Button>
        <Button variant="default" size="compact-xs" leftSection={<IconPlus size={12} aria-hidden="true" />} onClick={() => put([...g.rows, { not: true, group: { rows: [{ field: '', values: [] }] } }])}>
          But not
        </Button>
      </div>
    </div>
  ); // prettier-ignore
}

interface RowProps {
  row: FormRow;
  fields: readonly string[];
  change: (row: FormRow) => void;
  remove: () => void;
}

function Nested({ row: r, fields, change, remove }: RowProps) {
  return (
    <div className={css.nested}>
      <Group label={r.not ? 'but not with' : 'with'} value={r.group!} fields={fields} change={(group) => change({ ...r, group })} />
      <ActionIcon aria-label="Take the group out" onClick={remove}>
        <IconX size={14} />
      </ActionIcon>
    </div>
  );
}

function Row({ row: r, fields, change, remove }: RowProps) {
  const test = testOf(r);
  const options = tests.some((t) => t.value === test) ? tests : [...tests, { value: test, label: test, about: '' }];
  const values = (r.values ?? []).filter((v) => v !== null);
  return (
    <div className={css.row}>
      <Autocomplete aria-label="Field" placeholder="field" data={[...fields]} limit={40} value={r.field ?? ''} onChange={(field) => change({ ...r, field })} />
      <Select aria-label={`Test of ${r.field || 'the field'}`} data={options.map((t) => ({ value: t.value, label: t.label }))} value={test} onChange={(v) => v !== null && change(withTest(r, v))} allowDeselect={false} />
      {valued(r) ? (
        <TagsInput aria-label={`Values of ${r.field || 'the field'}`} size="xs" value={values} onChange={(next) => change({ ...r, values: next })} splitChars={[]} acceptValueOnBlur {...(values.length === 0 ? { placeholder: options.find((t) => t.value === test)?.about || 'value, ↵' } : {})} />
      ) : (
        <span />
      )}
      <ActionIcon aria-label={`Take the test of ${r.field || 'the field'} out`} onClick={remove}>
        <IconX size={14} />
      </ActionIcon>
    </div>
  ); // prettier-ignore
}
