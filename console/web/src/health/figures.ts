// What the host says of itself, as figures that a person can act on.

import type { GetHealthResponse, Positions, Stage } from '../gen/vedette/v1/health_pb';
import { count } from '../ui/age';

// headline is the first thing that an operator wants to know; empty figures say why.
// While few events come they travel in small batches, which cost more each: the figure is then a lower bound.
export function headline(h: Pick<GetHealthResponse, 'eventsPerSecond' | 'sustainableEventsPerSecond' | 'slowestStage'>): string {
  if (h.sustainableEventsPerSecond <= 0) return 'What this machine holds is known after its first 1,000 events';
  const least = h.eventsPerSecond < 1000 ? 'at least ' : '';
  return `This machine holds ${least}${count(round(h.sustainableEventsPerSecond))} events/s; slowest stage ${h.slowestStage}`;
}

// round keeps two digits that mean something.
export function round(n: number): number {
  if (n < 100) return Math.round(n);
  const size = 10 ** (Math.floor(Math.log10(n)) - 1);
  return Math.round(n / size) * size;
}

// use is how much of what it holds the machine does now, 0 to 1; undefined while it is not known.
export const use = (h: Pick<GetHealthResponse, 'eventsPerSecond' | 'sustainableEventsPerSecond'>): number | undefined =>
  h.sustainableEventsPerSecond > 0 ? Math.min(1, h.eventsPerSecond / h.sustainableEventsPerSecond) : undefined;

export interface Part {
  readonly name: string;
  readonly microseconds: number;
  // Of all stages together, 0 to 1.
  readonly share: number;
}

export function parts(stages: readonly Stage[]): Part[] {
  const all = stages.reduce((sum, s) => sum + s.cpuMicrosecondsPerEvent, 0);
  return stages.map((s) => ({ name: s.name, microseconds: s.cpuMicrosecondsPerEvent, share: all > 0 ? s.cpuMicrosecondsPerEvent / all : 0 }));
}

export interface Place {
  readonly name: string;
  readonly title: string;
  readonly at: bigint;
  // Behind the newest.
  readonly behind: number;
}

// places are how far each part has come in the log, in the order in which records pass them.
export function places(p: Positions): Place[] {
  const list: [string, bigint, string][] = [
    ['Newest', p.last, 'the last that was taken into the log'],
    ['Processed', p.processed, 'parsed, matched and handed on'],
    ['Incidents', p.applied, 'what incidents have been changed by'],
    ['Checkpoint', p.checkpoint, 'where correlation goes on after a restart'],
    ['Stored', p.storedDurable, 'safe on disk in the log store'],
    ['Oldest kept', p.first, 'the log is cut before it'],
  ];
  return list.map(([name, at, title]) => ({ name, title, at, behind: Number(p.last > at ? p.last - at : 0n) }));
}

const reasons: Record<string, string> = {
  'queue.lost': 'lost on the way into the log',
  'store.refused': 'refused by the log store',
  'store.too_new': 'dated in the future',
  'store.too_old': 'older than what is kept',
  'receive.kernel_dropped': 'UDP datagrams dropped by the kernel',
  'receive.queue_full': 'refused: the queue was full',
  'receive.unauthenticated': 'requests without a known token',
  'receive.oversized': 'cut: longer than the limit',
  'receive.bad_framing': 'with broken framing',
  'receive.empty': 'empty messages',
  'receive.connection_lost': 'connections lost before they were closed',
  'receive.tls_handshake': 'TLS connections that did not come about',
  'pipeline.removed_organization': 'of organizations that were removed',
  'overview.not_counted': 'not counted in the overview',
};

const always = ['queue.lost', 'store.refused', 'store.too_new', 'store.too_old', 'receive.kernel_dropped', 'receive.queue_full', 'receive.unauthenticated', 'receive.oversized'];

export interface Drop {
  readonly reason: string;
  readonly words: string;
  readonly count: bigint;
}

// drops are what was refused, cut or lost, the most first. The usual reasons are there with 0 too.
export function drops(by: Readonly<Record<string, bigint>>): Drop[] {
  return [...new Set([...always, ...Object.keys(by)])]
    .map((reason) => ({ reason, words: reasons[reason] ?? reason.replace(/^\w+\./, '').replaceAll('_', ' '), count: by[reason] ?? 0n }))
    .sort((a, b) => (a.count === b.count ? 0 : a.count > b.count ? -1 : 1));
}

// forecast says when the disk ends; soon is within two weeks.
export function forecast(h: Pick<GetHealthResponse, 'daysLeft' | 'daysLeftUntil' | 'storeBytesPerDay'>): { text: string; soon: boolean } {
  if (h.daysLeft <= 0 || h.storeBytesPerDay <= 0) return { text: 'growth is not known yet', soon: false };
  const days = Math.floor(h.daysLeft);
  const ending = h.daysLeftUntil.startsWith('retention') ? 'retention begins to drop' : 'full';
  if (days > 3_650) return { text: 'lasts for years at today’s growth', soon: false };
  const when = days < 1 ? 'within a day' : `in ${count(days)} ${days === 1 ? 'day' : 'days'}`;
  return { text: `${ending} ${when} at today’s growth`, soon: days < 14 && ending === 'full' };
}
