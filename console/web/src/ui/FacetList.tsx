// Facets: the values of a field with their counts, any of which narrow what is shown.

import { UnstyledButton } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { count } from './age';
import { visible } from './text';
import css from './facets.module.css';

export interface FacetValue {
  value: string;
  label?: ReactNode;
  count: number;
}

export interface Facet {
  name: string;
  title: string;
  values: readonly FacetValue[];
  selected: readonly string[];
}

const short = 6;
const long = 50;

export function FacetList({ facets, onChange, label = 'Filters' }: { facets: readonly Facet[]; onChange: (name: string, selected: string[]) => void; label?: string }) {
  return (
    <div className={css.list} role="group" aria-label={label}>
      {facets.map((f) => (
        <Group key={f.name} facet={f} onChange={onChange} />
      ))}
    </div>
  );
}

function Group({ facet, onChange }: { facet: Facet; onChange: (name: string, selected: string[]) => void }) {
  const [open, setOpen] = useState(true);
  const [all, setAll] = useState(false);
  // What is chosen stays in sight, even when nothing has it any more.
  const missing = facet.selected.filter((s) => !facet.values.some((v) => v.value === s)).map((value) => ({ value, count: 0 }));
  const values: readonly FacetValue[] = [...missing, ...facet.values];
  if (values.length === 0) return null;
  const shown = values.slice(0, all ? long : short);
  const toggle = (value: string) =>
    onChange(facet.name, facet.selected.includes(value) ? facet.selected.filter((s) => s !== value) : [...facet.selected, value]);
  return (
    <section className={css.group} role="group" aria-label={facet.title}>
      <div className={css.title}>
        <UnstyledButton aria-expanded={open} onClick={() => setOpen(!open)}>
          <IconChevronRight size={12} aria-hidden="true" data-open={open || undefined} />
          {facet.title}
        </UnstyledButton>
        {facet.selected.length > 0 && (
          <UnstyledButton className={css.clear} onClick={() => onChange(facet.name, [])}>
            Clear<span className="unseen"> {facet.title}</span>
          </UnstyledButton>
        )}
      </div>
      {open && (
        <ul>
          {shown.map((v) => (
            <li key={v.value}>
              <label className={css.value} data-on={facet.selected.includes(v.value) || undefined}>
                <input type="checkbox" checked={facet.selected.includes(v.value)} onChange={() => toggle(v.value)} />
                <span className="cut" title={visible(v.value)}>
                  {v.label ?? visible(v.value)}
                </span>
                <span className="number">{count(v.count)}</span>
              </label>
            </li>
          ))}
          {values.length > short && (
            <li>
              <UnstyledButton className={css.more} onClick={() => setAll(!all)}>
                {all ? 'Fewer' : `${count(Math.min(values.length, long) - short)} more`}
                <span className="unseen"> of {facet.title}</span>
              </UnstyledButton>
            </li>
          )}
        </ul>
      )}
    </section>
  );
}
