// Values over time as stacked bars or lines. A range that is dragged over is handed on.

import { useElementSize } from '@mantine/hooks';
import { useEffect, useMemo, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { count } from '../ui/age';
import { visible } from '../ui/text';
import css from './chart.module.css';
import { useColors } from './palette';
import { type Series, stacked } from './stack';

interface Props {
  // Seconds since 1970, of the beginnings of the buckets.
  times: readonly number[];
  series: readonly Series[];
  kind: 'bars' | 'lines';
  label: string;
  // Of a bar, in seconds.
  step?: number;
  // A zone's name; the browser's own without.
  zone?: string;
  unit?: string;
  format?: (n: number) => string;
  // Milliseconds. Without it nothing can be dragged over.
  onBrush?: (from: number, to: number) => void;
}

export default function TimeChart(props: Props) {
  const { ref, width, height } = useElementSize();
  const box = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const colors = useColors();
  const latest = useRef(props);
  latest.current = props;
  const { times, series, kind, zone, step } = props;
  const data = useMemo(() => dataOf(times, series, kind), [times, series, kind]);
  // What the picture is made of; values alone are put into the one that is there.
  const look = `${kind} ${zone} ${step} ${series.map((s) => `${s.name}${colors(s.color)}`).join()} ${colors('--line')} ${!!props.onBrush}`;
  useEffect(() => {
    if (!width || !height) return;
    const p = new uPlot({ ...options(latest, tip, colors), width, height }, data, box.current!);
    plot.current = p;
    return () => {
      p.destroy();
      plot.current = undefined;
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- sizes and values have effects of their own
  }, [look, width > 0 && height > 0]);
  useEffect(() => plot.current?.setSize({ width, height }), [width, height]);
  useEffect(() => plot.current?.setData(data), [data]);
  return (
    <div ref={ref} className={css.time} role="img" aria-label={props.label} data-brush={!!props.onBrush || undefined}>
      <div ref={box} />
      <div ref={tip} className={css.tip} hidden />
    </div>
  );
}

// dataOf turns stacks round: the largest sum is drawn first, the others over it.
function dataOf(times: readonly number[], series: readonly Series[], kind: 'bars' | 'lines'): uPlot.AlignedData {
  const rows = kind === 'bars' ? stacked(series).reverse() : series.map((s) => [...s.values]);
  return [[...times], ...rows] as uPlot.AlignedData;
}

type Ref<T> = { current: T };

function options(props: Ref<Props>, tip: Ref<HTMLDivElement | null>, colors: (token: string) => string): Omit<uPlot.Options, 'width' | 'height'> {
  const { series, kind, zone, onBrush, step } = props.current;
  const shown = kind === 'bars' ? series.toReversed() : series;
  const dateOf = (s: number) => (zone ? uPlot.tzDate(new Date(s * 1_000), zone) : new Date(s * 1_000));
  const font = `11px ${colors('--font')}`;
  const axis = { stroke: colors('--faint'), font, ticks: { show: false }, grid: { stroke: colors('--line'), width: 1 } };
  return {
    tzDate: dateOf,
    legend: { show: false },
    padding: [8, 6, 0, 0],
    cursor: { drag: { x: !!onBrush, y: false, setScale: false }, points: { show: kind === 'lines', size: 6 }, y: false },
    scales: {
      x: { range: (_, from, to) => (kind === 'bars' && step ? [from - step * 0.1, to + step] : [from, to]) },
      y: { range: (_, __, max) => [0, Math.max(1, max * 1.08)] },
    },
    axes: [
      { ...axis, size: 24, gap: 3, space: 76, grid: { show: false }, values: clockTicks(dateOf) },
      { ...axis, size: 44, gap: 6, space: 26, values: (_, ticks) => ticks.map((t) => (Number.isInteger(t) ? compact.format(t) : '')) },
    ],
    series: [
      {},
      ...shown.map((s): uPlot.Series => {
        const color = colors(s.color);
        if (kind === 'bars') return { label: s.name, fill: color, width: 0, points: { show: false }, paths: uPlot.paths.bars!({ size: [0.86, 60], align: 1 }) };
        return { label: s.name, stroke: color, width: 1.5, points: { show: false } };
      }),
    ],
    hooks: {
      setCursor: [(u) => showTip(u, props.current, tip.current, colors)],
      setSelect: [
        (u) => {
          if (u.select.width < 3) return;
          const from = u.posToVal(u.select.left, 'x') * 1_000;
          const to = u.posToVal(u.select.left + u.select.width, 'x') * 1_000;
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          props.current.onBrush?.(from, to);
        },
      ],
    },
  };
}

const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });

// clockTicks are labels of the time axis in 24 hours: the time of day, or the day where it begins. One that the right edge
// would cut is left out.
function clockTicks(dateOf: (s: number) => Date) {
  const two = (n: number) => String(n).padStart(2, '0');
  return (u: uPlot, ticks: number[], _: number, __: number, step: number): string[] =>
    ticks.map((t) => {
      const room = u.width - u.bbox.left / devicePixelRatio - u.valToPos(t, 'x'); // pixels on its right
      if (room < (step < 60 ? 26 : 18)) return '';
      const d = dateOf(t);
      const midnight = d.getHours() === 0 && d.getMinutes() === 0 && d.getSeconds() === 0;
      if (step >= 86_400 || midnight) return `${two(d.getDate())} ${d.toLocaleString('en-US', { month: 'short' })}`;
      return `${two(d.getHours())}:${two(d.getMinutes())}${step < 60 ? `:${two(d.getSeconds())}` : ''}`;
    });
}

function showTip(u: uPlot, { series, times, step, unit, format = count, zone }: Props, tip: HTMLDivElement | null, colors: (token: string) => string): void {
  const at = u.cursor.idx;
  if (!tip) return;
  const time = at === null || at === undefined ? undefined : times[at];
  tip.hidden = time === undefined || (u.cursor.left ?? -1) < 0;
  if (tip.hidden || time === undefined) return;
  const clock = new Intl.DateTimeFormat('en-GB', { ...(zone ? { timeZone: zone } : {}), day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
  const head = document.createElement('b');
  head.textContent = step ? clock.formatRange(time * 1_000, (time + step) * 1_000) : clock.format(time * 1_000);
  const lines = series
    .map((s) => ({ name: s.name, color: colors(s.color), value: s.values[at!] ?? 0 }))
    .filter((l) => l.value !== 0 || series.length <= 2)
    .slice(0, 10)
    .map((l) => {
      const line = document.createElement('span');
      const mark = document.createElement('i');
      mark.style.background = l.color;
      const value = document.createElement('em');
      value.textContent = `${format(l.value)}${unit ? ` ${unit}` : ''}`;
      line.append(mark, visible(l.name) || '(empty)', value);
      return line;
    });
  tip.replaceChildren(head, ...lines);
  const left = u.bbox.left / devicePixelRatio + (u.cursor.left ?? 0);
  tip.style.left = left > u.width / 2 ? `${left - tip.offsetWidth - 12}px` : `${left + 12}px`;
}
