// The table that a query with pipes makes, and its picture.

import { SegmentedControl, Select } from '@mantine/core';
import { lazy, Suspense, useMemo, useState } from 'react';
import { type Bar, BarList } from '../chart/BarList';
import { Legend } from '../chart/Legend';
import { hue } from '../chart/palette';
import type { Event } from '../gen/vedette/v1/event_pb';
import { plural } from '../ui/age';
import { visible } from '../ui/text';
import { type Column, type Sort, VirtualTable } from '../ui/VirtualTable';
import css from './search.module.css';
import { type Chart, chartOf, isNumber, type Shape, shapeOf } from './shape';
import { stamp, zoneName } from './time';

const TimeChart = lazy(() => import('../chart/TimeChart'));

interface Line {
  key: string;
  fields: Readonly<Record<string, string>>;
}

type ChartKind = 'line' | 'bar' | 'table';

export function Statistics({ rows, zone }: { rows: readonly Event[]; zone: string }) {
  const shape = useMemo(() => shapeOf(rows), [rows]);
  const [chosen, setChosen] = useState<ChartKind>();
  const [value, setValue] = useState('');
  const timed = shape.kind === 'line';
  const kind = shape.kind === 'none' ? 'table' : (chosen ?? shape.kind);
  // Numbers of different things can be lines beside each other, but nothing adds them up.
  const single = shape.values.length > 1 && (kind === 'bar' || shape.by !== '');
  const drawn = useMemo(() => (single ? { ...shape, values: [shape.values.includes(value) ? value : shape.values[0]!] } : shape), [shape, single, value]);
  const options = [...(timed ? [{ value: 'line', label: 'Line' }] : []), { value: 'bar', label: 'Bars' }, { value: 'table', label: 'Table only' }];
  return (
    <div className={css.statistics}>
      {shape.kind !== 'none' && (
        <div className={css.statisticsHead}>
          <SegmentedControl aria-label="Chart" value={kind === 'line' && !timed ? 'bar' : kind} onChange={(k) => setChosen(k as ChartKind)} data={options} />
          {single && <Select aria-label="What the chart shows" data={shape.values} value={drawn.values[0]!} onChange={(v) => setValue(v ?? '')} allowDeselect={false} w={180} />}
        </div>
      )}
      {kind !== 'table' && <Picture rows={rows} shape={drawn} kind={kind} timed={timed} zone={zone} />}
      <div className={css.statisticsTable}>
        <Table rows={rows} shape={shape} zone={zone} />
      </div>
    </div>
  );
}

function Picture({ rows, shape, kind, timed, zone }: { rows: readonly Event[]; shape: Shape; kind: 'line' | 'bar'; timed: boolean; zone: string }) {
  const chart = useMemo(() => chartOf(rows, shape, kind), [rows, shape, kind]);
  const series = useMemo(() => chart.series.map((s, i) => ({ ...s, color: hue(i) })), [chart]);
  return (
    <figure className={css.picture} data-timed={timed || undefined}>
      {series.length > 1 && <Legend of={series} />}
      {timed ? (
        <div>
          <Suspense>
            <TimeChart
              times={(chart.along as number[]).map((ms) => ms / 1_000)}
              series={series}
              kind={kind === 'bar' ? 'bars' : 'lines'}
              step={stepOf(chart)}
              zone={zoneName(zone)}
              label={`${shape.values.join(', ')} over time${shape.by ? ` by ${shape.by}` : ''}; the same values are in the table below`}
            />
          </Suspense>
        </div>
      ) : (
        <BarList label={`${shape.values.join(', ')} by ${shape.along}`} bars={barsOf(chart)} format={number} />
      )}
      {chart.left > 0 && <figcaption className={css.hint}>{plural(chart.left, 'more line')} {chart.left === 1 ? 'is' : 'are'} in the table only.</figcaption>}
    </figure>
  );
}

const stepOf = ({ along }: Chart): number => {
  const gaps = along.slice(1).map((t, i) => ((t as number) - (along[i] as number)) / 1_000);
  return Math.max(1, Math.min(...gaps));
};

const barsOf = (chart: Chart): Bar[] =>
  chart.along.map((word, i) => {
    const label = visible(String(word)) || '(empty)';
    return { key: String(word), label, title: label, parts: chart.series.map((s, n) => ({ name: s.name, value: s.values[i] ?? 0, color: hue(n) })) };
  });

const few = new Intl.NumberFormat('en-US', { maximumFractionDigits: 3 });
const number = (n: number): string => few.format(n);

function Table({ rows, shape, zone }: { rows: readonly Event[]; shape: Shape; zone: string }) {
  const [chosen, setChosen] = useState<Sort>();
  const sort = chosen && shape.columns.includes(chosen.by) ? chosen : shape.kind === 'line' ? { by: shape.along, descending: false } : undefined;
  const [by, descending] = [sort?.by, sort?.descending];
  const [active, setActive] = useState('');
  const lines = useMemo(() => {
    const list = rows.map((r, i): Line => ({ key: String(i), fields: r.fields }));
    return by ? list.sort((a, b) => (descending ? -1 : 1) * compare(a.fields[by] ?? '', b.fields[by] ?? '')) : list;
  }, [rows, by, descending]);
  const columns = useMemo(
    (): Column<Line>[] =>
      shape.columns.map((c) => {
        const end = shape.values.includes(c);
        return { id: c, header: c, width: end ? '120px' : 'minmax(120px, 1fr)', end, sortable: true, cell: (l) => <Value text={l.fields[c] ?? ''} end={end} zone={zone} /> };
      }),
    [shape, zone],
  );
  return (
    <VirtualTable
      label="Table"
      rows={lines}
      keyOf={(l) => l.key}
      columns={columns}
      active={active || undefined}
      onActive={setActive}
      {...(sort ? { sort } : {})}
      onSort={(by) => setChosen({ by, descending: sort?.by !== by || !sort.descending })}
    />
  );
}

const compare = (a: string, b: string): number => (isNumber(a) && isNumber(b) ? Number(a) - Number(b) : a < b ? -1 : a > b ? 1 : 0);

function Value({ text, end, zone }: { text: string; end: boolean; zone: string }) {
  if (text === '') return <span className="dim">–</span>;
  if (end && isNumber(text)) return <>{number(Number(text))}</>;
  if (/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text)) return <span className="mono" title={text}>{stamp(Date.parse(text), zone)}</span>;
  const shown = visible(text.slice(0, 300));
  return <span title={shown}>{shown}</span>;
}
