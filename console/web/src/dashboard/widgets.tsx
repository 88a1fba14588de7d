// The widgets of the overview. Each is a chart, the same as a table, and a way to what it counts.

import { lazy, type ReactNode } from 'react';
import { useOrganization } from '../app/organization';
import { BarList } from '../chart/BarList';
import { Legend } from '../chart/Legend';
import { count, rate } from '../ui/age';
import { visible } from '../ui/text';
import { type Place } from './countries';
import css from './dashboard.module.css';
import { bucket, type Timed, type TopRow } from './overview';
import { Widget } from './Widget';

const TimeChart = lazy(() => import('../chart/TimeChart'));
const WorldMap = lazy(() => import('./WorldMap'));

// What every widget gets.
export interface Shared {
  tables: readonly string[];
  onTables: (ids: string[]) => void;
}

interface TimedProps extends Shared {
  id: string;
  title: string;
  of: string;
  data: Timed;
  onOpen: (name: string) => void;
}

export function IncidentsOverTime({ id, title, of, data, onOpen, ...shared }: TimedProps) {
  const present = data.series.filter((s) => s.sum > 0);
  const total = present.reduce((n, s) => n + s.sum, 0);
  const rows = () =>
    data.series.map((s) => ({ key: s.name || 'other', name: s.label, cells: [visible(s.label), s.sum], ...(s.name ? { onOpen: () => onOpen(s.name) } : {}) }));
  return (
    <Widget
      {...shared}
      id={id}
      title={title}
      note={<span className={css.total}><b>{count(total)}</b> fired</span>}
      table={() => ({ head: [of, 'Fired'], rows: rows() })}
      chart={
        <div className={css.timed}>
          <div>
            <TimeChart times={data.times} series={present} kind="bars" step={60} label={`${title}, per minute: ${present.map((s) => `${s.label} ${s.sum}`).join(', ') || 'none'}`} />
          </div>
          {present.length > 0 ? (
            <BarList legend label={title} bars={present.map((s) => ({ key: s.name, label: visible(s.label), title: visible(s.label), parts: [{ name: s.label, value: s.sum, color: s.color }] }))} onOpen={onOpen} />
          ) : (
            <p className="dim">No rule has fired in this time.</p>
          )}
        </div>
      }
    />
  );
}

interface RateProps extends Shared {
  data: Timed;
  onBrush: (from: number, to: number) => void;
  onOpen: (name: string) => void;
}

export function EventRate({ data, onBrush, onOpen, ...shared }: RateProps) {
  const latest = (i: number) => data.series[i]?.values.at(-1) ?? 0;
  const newest = data.times
    .map((t, i) => ({ t, i }))
    .slice(-60)
    .reverse();
  return (
    <Widget
      {...shared}
      id="rate"
      title="Events per second"
      note={<span className={css.total}><b>{rate(latest(0))}</b> parsed · <b>{rate(latest(1))}</b> unparsed</span>}
      table={() => ({
        head: ['Time', 'Parsed /s', 'Unparsed /s'],
        rows: newest.map(({ t, i }) => ({
          key: String(t), name: String(t), onOpen: () => onBrush(t * 1_000, (t + bucket) * 1_000),
          cells: [new Date(t * 1_000).toLocaleTimeString('en-GB'), rate(data.series[0]?.values[i] ?? 0), rate(data.series[1]?.values[i] ?? 0)],
        })),
      })}
      chart={
        <div className={css.timed} data-wide="">
          <Legend of={data.series} onOpen={onOpen} />
          <div>
            <TimeChart times={data.times} series={data.series} kind="lines" unit="/s" format={rate} onBrush={onBrush} label={`Events per second, now ${rate(latest(0))} parsed and ${rate(latest(1))} unparsed; drag to search a part`} />
          </div>
        </div>
      }
    />
  ); // prettier-ignore
}

interface MapProps extends Shared {
  places: readonly Place[];
  onOpen: (p: Place) => void;
}

const mostPlaces = 6; // beside the map

export function Countries({ places, onOpen, ...shared }: MapProps) {
  const bars = places.slice(0, mostPlaces).map((p) => ({ key: p.code, label: visible(p.name), title: visible(p.name), parts: [{ name: p.name, value: p.count, color: '--accent' }] }));
  return (
    <Widget
      {...shared}
      id="countries"
      title="Events by country of their source"
      table={() => ({ head: ['Country', 'Events'], rows: places.map((p) => ({ key: p.code, name: p.name, cells: [visible(p.name), p.count], onOpen: () => onOpen(p) })) })}
      chart={
        <div className={css.world}>
          <WorldMap places={places} onOpen={onOpen} />
          {bars.length > 0 ? (
            <BarList label="Countries" bars={bars} onOpen={(code) => onOpen(places.find((p) => p.code === code)!)} />
          ) : (
            <p className="dim">No log has named a country in this time.</p>
          )}
        </div>
      }
    />
  );
}

interface TopProps extends Shared {
  field: string;
  title: string;
  rows: readonly TopRow[];
  onOpen: (row: TopRow) => void;
}

export function TopList({ field, title, rows, onOpen, ...shared }: TopProps) {
  const { all, selected, name, color } = useOrganization();
  const global = all.length > 1 && !selected;
  const label = (r: TopRow): ReactNode => (
    <>
      {global && <i className={css.whose} style={{ background: color(r.tenant) }} title={name(r.tenant)} />}
      {visible(r.value)}
    </>
  );
  const keyOf = (r: TopRow) => `${r.tenant} ${r.value}`;
  const bars = rows.slice(0, 8).map((r) => ({ key: keyOf(r), label: label(r), title: global ? `${visible(r.value)}, ${name(r.tenant)}` : visible(r.value), parts: [{ name: r.value, value: r.count, color: '--accent' }] }));
  return (
    <Widget
      {...shared}
      id={field}
      className={css.small}
      title={title}
      table={() => ({
        head: [field, 'Events'],
        rows: rows.map((r) => ({ key: keyOf(r), name: r.value, cells: [<>{label(r)}{global && <small>{name(r.tenant)}</small>}</>, r.count], onOpen: () => onOpen(r) })),
      })}
      chart={bars.length > 0 ? <BarList label={title} bars={bars} onOpen={(key) => onOpen(rows.find((r) => keyOf(r) === key)!)} /> : <p className="dim">Nothing yet in this time.</p>}
    />
  );
}
