// When: the last so many minutes, or from one moment to another, in the zone that the person thinks in.

import { Button, Popover, SegmentedControl, Select, TextInput } from '@mantine/core';
import { IconChevronDown, IconClock } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import type { SearchParams } from './params';
import css from './search.module.css';
import { inWords, isZone, offset, parseTime, ranges, rangeOf, stamp, zoneName, zones } from './time';

type When = Pick<SearchParams, 'range' | 'from' | 'to' | 'zone'>;

interface Props {
  value: When;
  onChange: (when: Partial<When>) => void;
}

export function TimePicker({ value, onChange }: Props) {
  const [open, setOpen] = useState(false);
  const change = (when: Partial<When>) => {
    setOpen(false);
    onChange(when);
  };
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" trapFocus shadow="md">
      <Popover.Target>
        <Button
          variant="default"
          leftSection={<IconClock size={14} aria-hidden="true" />}
          rightSection={<IconChevronDown size={13} aria-hidden="true" />}
          onClick={() => setOpen(!open)}
          aria-expanded={open}
          title={`Times are those of ${zoneName(value.zone)}`}
          className={css.when}
        >
          {titleOf(value)}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p={0}>{open && <Choice value={value} onChange={change} zoned={(zone) => onChange({ zone })} />}</Popover.Dropdown>
    </Popover>
  );
}

function titleOf({ range, from, to, zone }: When): string {
  if (from === '' || Number.isNaN(Date.parse(from))) return inWords(range);
  const [a, b] = [stamp(Date.parse(from), zone), to ? stamp(Date.parse(to), zone) : 'now'];
  const sameDay = a.slice(0, 10) === b.slice(0, 10);
  return `${a.slice(5)} – ${sameDay ? b.slice(11) : b === 'now' ? b : b.slice(5)}`;
}

function Choice({ value, onChange, zoned }: Props & { zoned: (zone: string) => void }) {
  const { zone } = value;
  const now = useMemo(() => Date.now(), []);
  const start = rangeOf(value, now);
  const [from, setFrom] = useState(() => stamp(start.from, zone));
  const [to, setTo] = useState(() => (start.to ? stamp(start.to, zone) : 'now'));
  const [range, setRange] = useState(value.range);
  const a = parseTime(from, zone, now);
  const b = parseTime(to, zone, now);
  const wrong = a === undefined ? 'Not a time. Try 2026-11-22 05:40, 05:40 or -15m.' : undefined;
  const wrongTo = b === undefined ? 'Not a time. Try 2026-11-22 05:40 or now.' : a !== undefined && b <= a ? 'This is not after the beginning.' : undefined;
  const apply = () => {
    if (wrong || wrongTo) return;
    onChange({ from: new Date(a!).toISOString(), to: to.trim() === 'now' ? '' : new Date(b!).toISOString() });
  };
  const kind = zone === '' ? 'local' : zone === 'UTC' ? 'UTC' : 'other';
  const rezone = (next: string) => {
    // The moments stay, their clocks change.
    if (a !== undefined) setFrom(stamp(a, next));
    if (b !== undefined && to.trim() !== 'now') setTo(stamp(b, next));
    zoned(next);
  };
  return (
    <div className={css.choice}>
      <div className={css.relative} role="group" aria-label="The last">
        {ranges.map((r) => (
          <Button key={r} variant={value.from === '' && value.range === r ? 'light' : 'subtle'} color={value.from === '' && value.range === r ? 'watch' : 'gray'} justify="flex-start" onClick={() => onChange({ range: r, from: '', to: '' })}>
            {inWords(r)}
          </Button>
        ))}
        <form
          onSubmit={(e) => {
            e.preventDefault();
            if (/^\d+[smhdw]$/.test(range)) onChange({ range, from: '', to: '' });
          }}
        >
          <TextInput aria-label="Another length, such as 3h" placeholder="3h" value={range} onChange={(e) => setRange(e.currentTarget.value.trim())} error={!/^\d+[smhdw]$/.test(range)} />
        </form>
      </div>
      <div className={css.absolute}>
        <form
          onSubmit={(e) => {
            e.preventDefault();
            apply();
          }}
        >
          <TextInput label="From" value={from} onChange={(e) => setFrom(e.currentTarget.value)} error={wrong} data-autofocus />
          <TextInput label="To" value={to} onChange={(e) => setTo(e.currentTarget.value)} error={wrongTo} />
          <Button type="submit" disabled={!!wrong || !!wrongTo}>
            Search this time
          </Button>
        </form>
        <div>
          <SegmentedControl
            fullWidth
            aria-label="Zone"
            value={kind}
            onChange={(k) => rezone(k === 'local' ? '' : k === 'UTC' ? 'UTC' : zoneName('') === 'UTC' ? 'Europe/London' : zoneName(''))}
            data={[{ value: 'local', label: 'Local' }, { value: 'UTC', label: 'UTC' }, { value: 'other', label: 'Other' }]}
          />
          {kind === 'other' && (
            <Select
              mt={6}
              aria-label="Zone's name"
              searchable
              limit={40}
              nothingFoundMessage="No zone has that name."
              data={zones()}
              value={isZone(zone) ? zone : 'UTC'}
              onChange={(z) => z && rezone(z)}
              onFocus={(e) => e.currentTarget.select()}
              comboboxProps={{ withinPortal: false }}
            />
          )}
          <p className={css.hint}>{kind === 'local' ? `This browser's zone: ${zoneName('')}` : `There it is ${stamp(now, zone)} now, ${offset(now, zone)}.`}</p>
        </div>
      </div>
    </div>
  );
}
