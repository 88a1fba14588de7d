// How many events were found at which time. Dragging over a part of it searches that part.

import { Select } from '@mantine/core';
import { lazy, Suspense, useMemo } from 'react';
import { hue, hues } from '../chart/palette';
import { bucketsOf, other } from '../chart/stack';
import { Legend } from '../chart/Legend';
import { millis } from '../live/row';
import { count, plural } from '../ui/age';
import { ErrorBox } from '../ui/States';
import type { Asked, Result } from './run';
import css from './search.module.css';
import { zoneName } from './time';
import { useHistogram } from './useSearchPage';

const TimeChart = lazy(() => import('../chart/TimeChart'));

// Words whose colour people expect.
const meant: Readonly<Record<string, string>> = { success: '--ok', failure: '--bad', unknown: '--faint', '': '--line-strong' };

const splits = [
  { value: '', label: 'All together' },
  ...['event.dataset', 'event.outcome', 'event.action', 'host.name', 'user.name'].map((f) => ({ value: f, label: `By ${f}` })),
];

interface Props {
  asked: Asked;
  result: Result;
  by: string;
  zone: string;
  onBy: (field: string) => void;
  onBrush: (from: number, to: number) => void;
}

export function Histogram({ asked: wanted, result, by, zone, onBy, onBrush }: Props) {
  const { complete, status } = result;
  const asked = complete ?? wanted;
  const { data, error, isFetching, step, end } = useHistogram(asked, by, complete !== undefined);
  const old = isFetching || status === 'running';
  const { times, series, total } = useMemo(() => {
    const buckets = (data?.buckets ?? []).map((b) => ({ start: millis(b.start), value: b.value, count: Number(b.count) }));
    const laid = bucketsOf(buckets, asked.from, end, step, 7);
    const colored = laid.series.map((s, i) => ({ ...s, name: by === '' ? 'All' : s.name, color: by === '' ? '--accent' : (Object.hasOwn(meant, s.name) ? meant[s.name]! : hue(s.name === other ? hues : i)) }));
    return { ...laid, series: colored, total: buckets.reduce((n, b) => n + b.count, 0) };
  }, [data, asked, end, step, by]);
  if (status === 'failed') return null; // the search says itself what is wrong
  if (status === 'cancelled') return <p className={css.notCounted}>The search was cancelled: what it would have found is not counted.</p>;
  if (error) return <div className={css.histogram}><ErrorBox error={error} doing="Count by time" /></div>;
  return (
    <section className={css.histogram} aria-label="Events over time" aria-busy={old}>
      <div className={css.histogramHead}>
        <span>
          <b className="number">{count(total)}</b> <span className="dim">{total === 1 ? 'event' : 'events'} · bars of {widthInWords(step)}</span>
        </span>
        {by !== '' && <Legend of={series} />}
        <Select aria-label="Split the bars" size="xs" w={150} data={splits} value={by} onChange={(v) => onBy(v ?? '')} allowDeselect={false} comboboxProps={{ width: 190, position: 'bottom-end' }} />
      </div>
      <div className={css.histogramChart} data-old={old || undefined}>
        <Suspense>
          <TimeChart times={times} series={series} kind="bars" step={step} zone={zoneName(zone)} label={`${plural(total, 'event')} over time; drag to search a part`} unit="events" onBrush={onBrush} />
        </Suspense>
      </div>
    </section>
  );
}

const widthInWords = (s: number): string => (s < 60 ? `${s} s` : s < 3_600 ? `${s / 60} min` : s < 86_400 ? `${s / 3_600} h` : `${s / 86_400} d`);
