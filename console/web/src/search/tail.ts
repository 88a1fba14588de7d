// Events as they pass, in live mode: the newest few thousand, with what was left out counted.

import { events as client } from '../api/clients';
import type { Event, TailResponse } from '../gen/vedette/v1/event_pb';

export const maxRows = 5_000; // events that are kept; older ones go
export const every = 250; // ms between two pictures
const retryAfter = 2_000; // ms

export interface Live {
  status: 'connecting' | 'live' | 'broken';
  // Oldest first. Stays as it is while paused.
  rows: readonly Event[];
  paused: boolean;
  // Came while paused.
  waiting: number;
  // Everything that came, and what the host could not send, since the beginning.
  seen: number;
  dropped: number;
  error: unknown;
}

export type Stream = (filter: string, tenants: number[], signal: AbortSignal) => AsyncIterable<Pick<TailResponse, 'events' | 'dropped'>>;
const stream: Stream = (filter, tenants, signal) => client.tail({ filter, tenants }, { signal });

// Ring keeps the newest rows.
export class Ring<T> {
  private items: T[] = [];
  private next = 0;
  constructor(private most: number) {}
  push(item: T): void {
    if (this.items.length < this.most) this.items.push(item);
    else this.items[this.next] = item;
    this.next = (this.next + 1) % this.most;
  }
  // list is a copy, oldest first.
  list(): T[] {
    if (this.items.length < this.most) return this.items.slice();
    return [...this.items.slice(this.next), ...this.items.slice(0, this.next)];
  }
}

export class Tail {
  private ring = new Ring<Event>(maxRows);
  private live: Live = { status: 'connecting', rows: [], paused: false, waiting: 0, seen: 0, dropped: 0, error: undefined };
  private listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private abort = new AbortController();

  constructor(private open: Stream = stream) {}

  get = (): Live => this.live;
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  // follow runs until close. A line that breaks is opened again; a filter that the host refuses is not.
  async follow(filter: string, tenants: number[], wait = (ms: number) => new Promise((r) => setTimeout(r, ms)), fatal: (e: unknown) => boolean = () => false): Promise<void> {
    const { signal } = this.abort;
    while (!signal.aborted) {
      try {
        for await (const m of this.open(filter, tenants, signal)) this.add(m);
        if (!signal.aborted) this.change({ status: 'broken' });
      } catch (e) {
        if (signal.aborted) return;
        this.change({ status: 'broken', error: e });
        if (fatal(e)) return;
      }
      await wait(retryAfter);
    }
  }

  private add({ events, dropped }: Pick<TailResponse, 'events' | 'dropped'>): void {
    for (const e of events) this.ring.push(e);
    const { live } = this;
    live.seen += events.length;
    live.dropped += Number(dropped);
    if (live.paused) live.waiting += events.length;
    if (live.status !== 'live') this.change({ status: 'live', error: undefined });
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.change({});
    }, every);
  }

  pause = (paused: boolean): void => {
    if (paused !== this.live.paused) this.change({ paused, waiting: 0 });
  };

  clear = (): void => {
    this.ring = new Ring(maxRows);
    this.change({ rows: [], waiting: 0 });
  };

  private change(patch: Partial<Live>): void {
    const next = { ...this.live, ...patch };
    if (!next.paused) next.rows = this.ring.list();
    this.live = next;
    for (const l of this.listeners) l();
  }

  close(): void {
    this.abort.abort();
    clearTimeout(this.timer);
    this.listeners.clear();
  }
}
