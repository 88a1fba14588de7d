// Events as rows of chosen columns.

import { useElementSize } from '@mantine/hooks';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useOrganization } from '../app/organization';
import { type Asked, EventMenu } from '../event';
import type { Event } from '../gen/vedette/v1/event_pb';
import { millis } from '../live/row';
import { OrganizationName } from '../ui/Badge';
import { visible } from '../ui/text';
import { type Column, type TableHandle, VirtualTable } from '../ui/VirtualTable';
import { titleOf, valueOf, widthOf } from './columns';
import css from './search.module.css';
import { dayAndTime, timeOfDay, whole } from './time';

const longest = 300; // characters of a value in a cell

interface Props {
  rows: readonly Event[];
  columns: readonly string[];
  zone: string;
  // Rows are of several days.
  days: boolean;
  active: string;
  onOpen: (id: string) => void;
  label?: string;
  onScroll?: (top: number) => void;
  handle?: React.Ref<TableHandle>;
  empty?: React.ReactNode;
}

const keyOf = (e: Event): string => e.id;

export function EventTable({ rows, columns, zone, days, active, onOpen, label = 'Events', ...rest }: Props) {
  const { all, selected, name, color } = useOrganization();
  const { ref, width } = useElementSize();
  const global = all.length > 1 && !selected;
  const wide = width > 1_000;
  // The arrows go from row to row; Enter or a click opens one.
  const [cursor, setCursor] = useState(active);
  useEffect(() => {
    if (active) setCursor(active);
  }, [active]);
  const [asked, ask] = useState<Asked>();
  const menu = useCallback((event: Event, at: Asked['at']) => ask({ event, at }), []);
  const open = useCallback((e: Event) => onOpen(e.id), [onOpen]);
  const shape = useMemo((): Column<Event>[] => {
    const own: Column<Event>[] = [{ id: 'time', header: 'Time', width: days ? '154px' : '108px', cell: (e) => <Time at={millis(e.time)} zone={zone} days={days} /> }];
    if (global && wide) own.push({ id: 'organization', header: 'Organization', width: '150px', cell: (e) => <OrganizationName id={e.tenant} /> });
    if (global && !wide) own.unshift({ id: 'organization', header: <span className="unseen">Organization</span>, width: '20px', cell: (e) => <Mark color={color(e.tenant)} name={name(e.tenant)} /> });
    return [...own, ...columns.map((c): Column<Event> => ({ id: c, header: titleOf(c), width: widthOf(c), cell: (e) => <Cell text={valueOf(c, e)} /> }))];
  }, [columns, zone, days, global, wide, name, color]);
  return (
    <div ref={ref} className={css.fill}>
      <VirtualTable label={label} rows={rows} keyOf={keyOf} columns={shape} active={cursor || undefined} onActive={setCursor} onOpen={open} onClick={open} onMenu={menu} {...rest} />
      <EventMenu asked={asked} close={() => ask(undefined)} open={onOpen} />
    </div>
  );
}

// Mark is an organization where there is no room for its name.
const Mark = ({ color, name }: { color: string; name: string }) => (
  <i className={css.mark} style={{ background: color }} title={name}>
    <span className="unseen">{name}</span>
  </i>
);

function Time({ at, zone, days }: { at: number; zone: string; days: boolean }) {
  return (
    <time className="mono" dateTime={at ? new Date(at).toISOString() : undefined} title={whole(at, zone)}>
      {days ? dayAndTime(at, zone) : timeOfDay(at, zone)}
    </time>
  );
}

function Cell({ text }: { text: string }) {
  if (text === '') return <span className="dim">–</span>;
  const shown = visible(text.slice(0, longest));
  return <span title={shown}>{shown}</span>;
}
