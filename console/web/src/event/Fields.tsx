import { ActionIcon, TextInput, Tooltip } from '@mantine/core';
import { IconMinus, IconPlus } from '@tabler/icons-react';
import { type KeyboardEvent, memo, useCallback, useMemo, useRef, useState } from 'react';
import { CopyButton } from '../ui/Copy';
import { visible } from '../ui/text';
import css from './event.module.css';
import { type Field, type Filter, groupFields } from './fields';

interface Props {
  fields: Readonly<Record<string, string>>;
  // The hue of fields that bytes stand for.
  hues: ReadonlyMap<string, number>;
  lit: ReadonlySet<string>;
  onLit: (field: string | undefined) => void;
  onFilter: (f: Filter) => void;
}

const many = 24; // fields from which on a filter helps
const longest = 600; // characters of a value that are shown at once

// Fields lists what an event holds. The arrows go from field to field; + and - ask for events with or without its value.
export function Fields({ fields, hues, lit, onLit, onFilter }: Props) {
  const [text, setText] = useState('');
  const groups = useMemo(() => {
    const word = text.trim().toLowerCase();
    if (!word) return groupFields(fields);
    return groupFields(Object.fromEntries(Object.entries(fields).filter(([name, value]) => `${name}\n${value}`.toLowerCase().includes(word))));
  }, [fields, text]);
  const flat = useMemo(() => groups.flatMap((g) => g.fields), [groups]);
  const [active, setActive] = useState('');
  const box = useRef<HTMLDivElement>(null);
  const at = Math.max(0, flat.findIndex((f) => f.name === active));

  const reach = useCallback(
    (name: string) => {
      setActive(name);
      onLit(name);
    },
    [onLit],
  );
  const onKeyDown = (e: KeyboardEvent) => {
    const field = flat[at];
    if (!field || e.altKey || e.ctrlKey || e.metaKey || e.target instanceof HTMLInputElement) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: flat.length - 1 }[e.key];
    if (to !== undefined) {
      const next = flat[Math.max(0, Math.min(flat.length - 1, to))]!;
      box.current?.querySelector<HTMLElement>(`[data-field="${CSS.escape(next.name)}"]`)?.focus();
    } else if (e.key === '+' || e.key === '-') {
      onFilter(filterOf(field, e.key === '-'));
    } else {
      return;
    }
    e.preventDefault();
    e.stopPropagation();
  };

  return (
    <div ref={box} className={css.fields} onKeyDown={onKeyDown} onMouseLeave={() => onLit(undefined)}>
      {Object.keys(fields).length > many && (
        <TextInput className={css.filter} aria-label="Filter the fields" placeholder="Filter fields" value={text} onChange={(e) => setText(e.currentTarget.value)} />
      )}
      {flat.length === 0 && <p className="dim">{text ? `No field has “${text}” in its name or value.` : 'No field was read from this record.'}</p>}
      {groups.map((g) => (
        <section key={g.title} aria-label={g.title}>
          <h3>{g.title}</h3>
          {g.fields.map((f) => (
            <Line
              key={f.name}
              field={f}
              hue={hues.get(f.name)}
              lit={lit.has(f.name)}
              reachable={flat[at]?.name === f.name}
              onEnter={onLit}
              onReach={reach}
              onFilter={onFilter}
            />
          ))}
        </section>
      ))}
    </div>
  );
}

const filterOf = (field: Field, exclude: boolean): Filter =>
  field.list?.length ? { field: field.name, value: field.list[0]!, exclude, one: true } : { field: field.name, value: field.value, exclude };

interface LineProps {
  field: Field;
  hue: number | undefined;
  lit: boolean;
  // The one field that Tab stops at.
  reachable: boolean;
  onEnter: (name: string) => void;
  onReach: (name: string) => void;
  onFilter: (f: Filter) => void;
}

// Line is drawn again only when it is lit or reached: an event may have hundreds of fields.
const Line = memo(function Line({ field, hue, lit, reachable, onEnter, onReach, onFilter }: LineProps) {
  return (
    <div
      className={css.field}
      data-field={field.name}
      data-lit={lit || undefined}
      role="group"
      aria-label={`${field.name}: ${visible(field.value.slice(0, longest))}`}
      tabIndex={reachable ? 0 : -1}
      onMouseEnter={() => onEnter(field.name)}
      onFocus={() => onReach(field.name)}
      style={hue === undefined ? undefined : ({ '--hue': `var(--org-${hue})` } as object)}
    >
      <i data-owned={hue === undefined ? undefined : ''} title={hue === undefined ? 'No bytes of the record stand for it' : 'Read from the marked bytes'} />
      <span className={css.name}>{visible(field.name)}</span>
      <Value field={field} />
      {(lit || reachable) && <Tools field={field} reachable={reachable} onFilter={onFilter} />}
    </div>
  );
});

function Tools({ field, reachable, onFilter }: Pick<LineProps, 'field' | 'reachable' | 'onFilter'>) {
  return (
    <span className={css.tools}>
      <Tooltip label="Search with this value">
        <ActionIcon size="sm" tabIndex={reachable ? 0 : -1} aria-label={`Search with this ${field.name}`} onClick={() => onFilter(filterOf(field, false))}>
          <IconPlus size={13} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label="Search without this value">
        <ActionIcon size="sm" tabIndex={reachable ? 0 : -1} aria-label={`Search without this ${field.name}`} onClick={() => onFilter(filterOf(field, true))}>
          <IconMinus size={13} />
        </ActionIcon>
      </Tooltip>
      <CopyButton text={field.value} what={field.name} tabIndex={reachable ? 0 : -1} />
    </span>
  );
}

function Value({ field }: { field: Field }) {
  const [all, setAll] = useState(false);
  if (field.list) {
    return (
      <span className={css.value}>
        {field.list.map((v, i) => (
          <span key={i} className={css.item}>
            {visible(v)}
          </span>
        ))}
      </span>
    );
  }
  const cut = !all && field.value.length > longest;
  return (
    <span className={css.value}>
      {visible(cut ? field.value.slice(0, longest) : field.value)}
      {cut && (
        <button type="button" className={css.link} onClick={() => setAll(true)}>
          … {(field.value.length - longest).toLocaleString('en-US')} more characters
        </button>
      )}
    </span>
  );
}
