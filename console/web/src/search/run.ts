// A search that is running or has run: its rows as they stream in, how far back it has looked, and how it ended.

import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { events as client } from '../api/clients';
import { isCancelled } from '../api/errors';
import type { Event, SearchResponse } from '../gen/vedette/v1/event_pb';
import { millis } from '../live/row';
import type { Range } from './time';

export interface Asked extends Range {
  text: string;
  tenants: number[];
  limit: number;
}

export type Status = 'idle' | 'running' | 'done' | 'cancelled' | 'failed';

export interface Result {
  status: Status;
  rows: readonly Event[];
  // Lines of a table instead of events.
  table: boolean;
  // Milliseconds: nothing newer than this is missing. 0 when not known.
  covered: number;
  // The limit ended the search.
  truncated: boolean;
  error: unknown;
  // Milliseconds that it took so far.
  took: number;
  // What the last search that came to its end has asked.
  complete: Asked | undefined;
}

const nothing: Result = { status: 'idle', rows: [], table: false, covered: 0, truncated: false, error: undefined, took: 0, complete: undefined };

export const queryOf = (a: Asked) => ({
  text: a.text,
  from: timestampFromMs(a.from),
  ...(a.to === undefined ? {} : { to: timestampFromMs(a.to) }),
  tenants: a.tenants,
  limit: a.limit,
});

export type Stream = (asked: Asked, signal: AbortSignal) => AsyncIterable<SearchResponse>;
export const stream: Stream = (asked, signal) => client.search({ query: queryOf(asked) }, { signal });

const every = 120; // ms between two pictures of a result that grows

// Search holds one result. A new search takes the place of the one before, whose rows stay until the first of the new.
export class Search {
  private result: Result = nothing;
  private listeners = new Set<() => void>();
  private abort: AbortController | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private open: Stream = stream,
    private now: () => number = Date.now,
  ) {}

  get = (): Result => this.result;
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  async start(asked: Asked): Promise<void> {
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    const began = this.now();
    const rows: Event[] = [];
    let rest: Partial<Result> = { covered: 0, truncated: false, error: undefined };
    const show = (status: Status) => {
      if (this.abort !== abort) return;
      // What was found before stays in sight until there is something new to show.
      const found = rows.length > 0 || status !== 'running';
      this.put({ ...this.result, ...rest, status, took: this.now() - began, ...(status === 'done' ? { complete: asked } : {}), ...(found ? { rows: rows.slice() } : {}) });
    };
    show('running');
    try {
      for await (const m of this.open(asked, abort.signal)) {
        for (const e of m.events) rows.push(e);
        if (m.events.length > 0) rest.table = m.events[0]!.id === '';
        if (m.progress) rest = { ...rest, covered: millis(m.progress.coveredFrom), truncated: m.progress.truncated };
        this.timer ??= setTimeout(() => {
          this.timer = undefined;
          if (!abort.signal.aborted && this.abort === abort && this.result.status === 'running') show('running');
        }, rows.length <= 500 ? 0 : every);
      }
      show('done');
    } catch (e) {
      if (!isCancelled(e) && !abort.signal.aborted) rest.error = e;
      show(rest.error === undefined ? 'cancelled' : 'failed');
    }
  }

  cancel = (): void => this.abort?.abort();

  // close ends it without a word to anybody.
  close(): void {
    const { abort } = this;
    this.abort = undefined;
    abort?.abort();
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private put(result: Result): void {
    this.result = result;
    for (const l of this.listeners) l();
  }
}
