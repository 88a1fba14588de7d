// Which columns there are and in which order, by mouse or by keyboard.

import { useQuery } from '@connectrpc/connect-query';
import { ActionIcon, Button, Checkbox, Popover, TextInput } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconColumns3, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { EventService } from '../gen/vedette/v1/event_pb';
import { count } from '../ui/age';
import { visible } from '../ui/text';
import { derived, place, switchColumn, titleOf, usual } from './columns';
import { type Asked, queryOf } from './run';
import css from './search.module.css';

interface Props {
  columns: readonly string[];
  asked: Asked;
  onChange: (columns: string[]) => void;
}

export function ColumnPicker({ columns, asked, onChange }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" trapFocus shadow="md" width={340}>
      <Popover.Target>
        <Button variant="default" leftSection={<IconColumns3 size={14} aria-hidden="true" />} onClick={() => setOpen(!open)} aria-expanded={open}>
          Columns
        </Button>
      </Popover.Target>
      <Popover.Dropdown p={10}>{open && <Picker columns={columns} asked={asked} onChange={onChange} />}</Popover.Dropdown>
    </Popover>
  );
}

function Picker({ columns, asked, onChange }: Props) {
  const [word, setWord] = useState('');
  const [dragged, setDragged] = useState<string>();
  const { data } = useQuery(EventService.method.fieldNames, { query: queryOf({ ...asked, limit: 0 }) }, { staleTime: Infinity, retry: false });
  const names = [...Object.keys(derived).map((n) => ({ value: n, count: 0n })), ...(data?.names ?? [])].filter((n) => !columns.includes(n.value));
  const needle = word.trim().toLowerCase();
  const found = names.filter((n) => `${n.value} ${titleOf(n.value)}`.toLowerCase().includes(needle)).slice(0, 80);
  const move = (c: string, by: number) => onChange(place(columns, c, columns.indexOf(c) + by));
  return (
    <div className={css.picker}>
      <ol aria-label="Shown, from left to right">
        {columns.map((c, i) => (
          <li
            key={c}
            draggable
            data-dragged={dragged === c || undefined}
            onDragStart={() => setDragged(c)}
            onDragEnd={() => setDragged(undefined)}
            onDragOver={(e) => {
              e.preventDefault();
              if (dragged && dragged !== c) onChange(place(columns, dragged, i));
            }}
          >
            <span className="cut" title={derived[c]?.what}>
              {visible(titleOf(c))}
            </span>
            <ActionIcon size={22} aria-label={`${titleOf(c)} further left`} disabled={i === 0} onClick={() => move(c, -1)}>
              <IconArrowUp size={13} />
            </ActionIcon>
            <ActionIcon size={22} aria-label={`${titleOf(c)} further right`} disabled={i === columns.length - 1} onClick={() => move(c, 1)}>
              <IconArrowDown size={13} />
            </ActionIcon>
            <ActionIcon size={22} aria-label={`Hide ${titleOf(c)}`} disabled={columns.length === 1} onClick={() => onChange(switchColumn(columns, c))}>
              <IconX size={13} />
            </ActionIcon>
          </li>
        ))}
      </ol>
      <TextInput aria-label="Find a field to show" placeholder="Add a column: find a field" value={word} onChange={(e) => setWord(e.currentTarget.value)} data-autofocus />
      <ul aria-label="Not shown">
        {found.map((n) => (
          <li key={n.value} title={derived[n.value]?.what}>
            <Checkbox checked={false} label={visible(titleOf(n.value))} onChange={() => onChange(switchColumn(columns, n.value))} />
            <span className="number">{n.count > 0n ? count(n.count) : ''}</span>
          </li>
        ))}
        {found.length === 0 && <li className="dim">No other field has that name.</li>}
      </ul>
      <Button variant="default" disabled={columns.join() === usual.join()} onClick={() => onChange([...usual])}>
        The usual columns
      </Button>
    </div>
  );
}
