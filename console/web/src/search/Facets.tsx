// The values that the found events have, each a click away from being asked for or left out.

import { Skeleton, TextInput, UnstyledButton } from '@mantine/core';
import { IconChevronRight, IconMinus, IconPlus } from '@tabler/icons-react';
import { useDeferredValue, useMemo, useState } from 'react';
import type { Facet } from '../gen/vedette/v1/event_pb';
import { count } from '../ui/age';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Chosen, chosen, type Wanted } from './edit';
import css from './search.module.css';
import type { Asked, Result } from './run';
import { useFacets } from './useSearchPage';

// What people look at first; the rest follows by name, closed.
const first = [
  'event.dataset', 'event.action', 'event.outcome', 'host.name', 'observer.name', 'user.name', 'source.ip', 'destination.ip', 'destination.port',
  'process.name', 'http.response.status_code', 'event.category',
]; // prettier-ignore
const own = new Set(['vedette.id', 'vedette.seq', 'vedette.received']); // each event has its own
const short = 5;
const byName = new Intl.Collator('en', { numeric: true }).compare; // key2 before key10

interface Props {
  asked: Asked;
  result: Result;
  text: string;
  onFilter: (w: Wanted) => void;
}

export function Facets({ asked, result, text, onFilter }: Props) {
  const { complete, status } = result;
  const { data: newest, error, refetch, isPending } = useFacets(complete ?? asked, complete !== undefined);
  const data = useDeferredValue(newest); // there may be hundreds of fields: they are drawn when nothing else is to be done
  const [word, setWord] = useState('');
  const on = useMemo(() => chosen(text), [text]);
  const facets = useMemo(() => arranged(data?.facets ?? [], on), [data, on]);
  const needle = word.trim().toLowerCase();
  const shown = needle ? facets.filter((f) => f.field.toLowerCase().includes(needle)) : facets;
  if (status === 'failed') return null; // the search says itself what is wrong
  if (status === 'cancelled') return <p className={css.notCounted}>Values are counted when a search comes to its end.</p>;
  if (error) return <div className={css.pad}><ErrorBox error={error} doing="Count values" retry={() => void refetch()} /></div>;
  return (
    <div className={css.facetList}>
      <TextInput aria-label="Find a field" placeholder="Find a field" value={word} onChange={(e) => setWord(e.currentTarget.value)} className={css.findField} />
      {isPending && <Skeleton height={160} m={10} />}
      {!isPending && shown.length === 0 && <p className={css.hint}>{needle ? 'No field has that name.' : 'No field of what was found has values to choose between.'}</p>}
      {shown.map((f) => (
        <Group key={f.field} facet={f} on={on.get(f.field)} onFilter={onFilter} initial={needle !== '' || first.includes(f.field) || on.has(f.field)} />
      ))}
    </div>
  );
}

interface Shown {
  field: string;
  // The host counts no field of which there is one value only.
  values: readonly { value: string; count: number | undefined }[];
}

// arranged puts the usual fields first, and keeps what is chosen in sight though nothing has it any more.
function arranged(facets: readonly Facet[], on: ReadonlyMap<string, Chosen>): Shown[] {
  const byField = new Map<string, Shown>();
  for (const f of facets) if (!own.has(f.field)) byField.set(f.field, { field: f.field, values: f.values.map((v) => ({ value: v.value, count: Number(v.count) })) });
  for (const [field, { include, exclude }] of on) {
    const values = byField.get(field)?.values ?? [];
    const missing = [...include, ...exclude].filter((v) => !values.some((x) => x.value === v)).map((value) => ({ value, count: undefined }));
    byField.set(field, { field, values: [...missing, ...values] });
  }
  const rank = (f: string) => (first.includes(f) ? first.indexOf(f) : f.startsWith('vedette.') ? 1_000 : 100);
  return [...byField.values()].sort((a, b) => rank(a.field) - rank(b.field) || byName(a.field, b.field));
}

function Group({ facet, on, onFilter, initial }: { facet: Shown; on: Chosen | undefined; onFilter: (w: Wanted) => void; initial: boolean }) {
  const [open, setOpen] = useState<boolean>();
  const [all, setAll] = useState(false);
  const isOpen = open ?? initial;
  const { field } = facet;
  return (
    <section className={css.facet}>
      <UnstyledButton className={css.facetTitle} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <IconChevronRight size={12} aria-hidden="true" data-open={isOpen || undefined} />
        <span className="cut">{visible(field)}</span>
        <span className="number">{facet.values.length}</span>
      </UnstyledButton>
      {isOpen && (
        <ul>
          {facet.values.slice(0, all ? undefined : short).map((v) => (
            <Value key={v.value} field={field} value={v.value} n={v.count} on={on} onFilter={onFilter} />
          ))}
          {facet.values.length > short && (
            <li>
              <UnstyledButton className={css.moreValues} onClick={() => setAll(!all)}>
                {all ? 'Fewer' : `${facet.values.length - short} more`}
                <span className="unseen"> of {field}</span>
              </UnstyledButton>
            </li>
          )}
        </ul>
      )}
    </section>
  );
}

function Value({ field, value, n, on, onFilter }: { field: string; value: string; n: number | undefined; on: Chosen | undefined; onFilter: (w: Wanted) => void }) {
  const [included, excluded] = [on?.include.has(value) ?? false, on?.exclude.has(value) ?? false];
  const text = visible(value.slice(0, 200));
  return (
    <li className={css.value} data-on={included ? 'include' : excluded ? 'exclude' : undefined}>
      <span className="cut" title={text}>
        {text || '(empty)'}
      </span>
      <span className="number">{n !== undefined && count(n)}</span>
      <span className={css.signs}>
        <button type="button" aria-pressed={included} aria-label={`Only ${field} ${text}`} title={included ? 'Not only these' : 'Only these'} onClick={() => onFilter({ field, value, exclude: false })}>
          <IconPlus size={13} />
        </button>
        <button type="button" aria-pressed={excluded} aria-label={`Without ${field} ${text}`} title={excluded ? 'Show these again' : 'Without these'} onClick={() => onFilter({ field, value, exclude: true })}>
          <IconMinus size={13} />
        </button>
      </span>
    </li>
  );
}
