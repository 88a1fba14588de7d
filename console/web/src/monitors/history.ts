// What came of a watch's polls over time, from the events that are stored.

import type { Event } from '../gen/vedette/v1/event_pb';
import type { Watch } from '../gen/vedette/v1/monitor_pb';

export const spans = [
  { value: '1h', label: '1 h', ms: 3_600_000, step: 60 },
  { value: '24h', label: '24 h', ms: 86_400_000, step: 1_800 },
  { value: '7d', label: '7 d', ms: 604_800_000, step: 10_800 },
] as const;

export type Span = (typeof spans)[number];

// sourceOf is how events name where a watch's records come from.
export function sourceOf(watch: Pick<Watch, 'module' | 'targets'>): string {
  const device = (watch.targets[0]?.device ?? '').replaceAll(' ', '_');
  return `monitor:${watch.module.split('/')[1] ?? ''} ${device}`;
}

// queryOf counts the events of a watch by time and outcome. Failures that are another watch's of the same device are not.
export function queryOf(watch: Pick<Watch, 'id' | 'module' | 'targets'>, step: number): string {
  const own = `vedette.source:=${JSON.stringify(sourceOf(watch))} (!event.action:=poll_failed or labels.watch:=${JSON.stringify(watch.id)})`;
  return `${own} | stats by (_time:${step}s, event.outcome) count() events, avg(event.duration) took`;
}

export interface Bucket {
  // Milliseconds since 1970.
  readonly start: number;
  readonly good: number;
  readonly bad: number;
  // Milliseconds; undefined when no event says.
  readonly took: number | undefined;
}

// bucketsOf puts the lines of the query into buckets without gaps, oldest first. now and step are in milliseconds.
export function bucketsOf(lines: readonly Event[], now: number, { ms, step }: { ms: number; step: number }): Bucket[] {
  const width = step * 1_000;
  const last = Math.floor(now / width) * width;
  const out = Array.from({ length: Math.round(ms / width) }, (_, i, n = Math.round(ms / width)) => ({ start: last - (n - 1 - i) * width, good: 0, bad: 0, sum: 0, timed: 0 }));
  for (const { fields } of lines) {
    const b = out[Math.round((Date.parse(fields._time ?? '') - out[0]!.start) / width)];
    if (!b) continue;
    const events = Number(fields.events) || 0;
    if (fields['event.outcome'] === 'failure') b.bad += events;
    else b.good += events;
    const took = Number(fields.took);
    if (fields.took && Number.isFinite(took)) {
      b.sum += took * events;
      b.timed += events;
    }
  }
  return out.map(({ start, good, bad, sum, timed }) => ({ start, good, bad, took: timed > 0 ? sum / timed / 1e6 : undefined }));
}

// shareOf is how much of what was asked went well, 0 to 1; undefined when nothing was.
export function shareOf(buckets: readonly Bucket[]): number | undefined {
  const good = buckets.reduce((n, b) => n + b.good, 0);
  const all = buckets.reduce((n, b) => n + b.good + b.bad, 0);
  return all > 0 ? good / all : undefined;
}

// percent shows a share so that it is 100 % only when all went well.
export function percent(share: number): string {
  if (share === 1) return '100 %';
  return `${Math.min(99.99, share * 100).toFixed(share > 0.99 ? 2 : 1)} %`;
}
