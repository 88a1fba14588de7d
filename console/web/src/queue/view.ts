// The queue as a person sees it: filtered, sorted, and standing still while somebody works in it.

import type { Batch, Incidents } from '../live/incidents';
import type { Row } from '../live/row';
import { type Compare, compareBy, type Counts, countFacets, type Filter, matches } from './filter';

export interface Shown {
  readonly rows: readonly Row[];
  // Rows that match and wait to be shown, while the list is held.
  readonly waiting: number;
  readonly held: boolean;
  readonly facets: Counts;
  // Rows that match, waiting ones included.
  readonly total: number;
}

const nothing: Filter = { words: [], facets: new Map(), since: 0 };
const rebuildFrom = 500; // changes at once from which sorting anew is quicker than inserting
const countEvery = 1_000; // ms between two counts of the facets

export class QueueView {
  private filter = nothing;
  private compare: Compare = compareBy('-opened');
  // The rows that match now, sorted, each as it was when it was put there.
  private order: Row[] = [];
  private member = new Map<string, Row>();
  // What is on the screen, and where each row stands there.
  private rows: Row[] = [];
  private at = new Map<string, number>();
  private waiting = new Set<string>();
  // Where rows belong that were put back before the host has said so.
  private readonly returning = new Map<string, number>();
  private held = false;
  private arrived = 0; // organizations whose incidents were there at the last change
  private counts: Counts = countFacets([], nothing);
  private counted = -Infinity;
  private counting: ReturnType<typeof setTimeout> | undefined;
  private shown: Shown = { rows: [], waiting: 0, held: false, facets: this.counts, total: 0 };
  private listeners = new Set<() => void>();

  constructor(
    private readonly incidents: Incidents,
    private readonly now: () => number = () => performance.now(),
  ) {}

  // start follows the incidents until the returned function is called.
  start(): () => void {
    this.arrived = this.incidents.complete.size;
    this.rebuild();
    const stop = this.incidents.subscribe((batch) => this.take(batch));
    return () => {
      stop();
      clearTimeout(this.counting);
      this.counting = undefined;
    };
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  current = (): Shown => this.shown;

  // look shows other rows, or the same in another order.
  look(filter: Filter, sort: string): void {
    this.filter = filter;
    this.compare = compareBy(sort);
    this.rebuild();
  }

  // hold lets the list stand still, or go on.
  hold(on: boolean): void {
    if (on === this.held) return;
    this.held = on;
    if (on) this.tell();
    else this.release();
  }

  // release shows what waits, once.
  release(): void {
    this.place(this.order.slice());
    this.tell();
  }

  // leave takes rows that match no longer out of a held list. It returns how to put them back where they were.
  leave(ids: readonly string[]): () => void {
    const left = ids.flatMap((id) => (this.at.has(id) ? [{ id, at: this.at.get(id)! }] : []));
    const gone = new Set(ids);
    this.place(this.rows.filter((r) => !gone.has(r.id)));
    this.tell();
    return () => {
      const rows = this.rows.slice();
      for (const { id, at } of left.sort((a, b) => a.at - b.at)) {
        const row = this.incidents.rows.get(id);
        if (!row || this.at.has(id)) continue;
        if (matches(row, this.filter)) rows.splice(Math.min(at, rows.length), 0, row);
        else this.returning.set(id, at);
      }
      this.place(rows);
      this.tell();
    };
  }

  // matches reports whether an incident belongs to what is looked at, as it is now.
  matches(id: string): boolean {
    const row = this.incidents.rows.get(id);
    return row !== undefined && matches(row, this.filter);
  }

  private take(batch: Batch): void {
    if (batch.size > rebuildFrom) {
      this.sortAnew();
    } else {
      for (const id of batch) this.change(id);
    }
    // There is nothing to hold before everything is there: organizations come one after the other.
    const { loading, complete } = this.incidents;
    const arriving = loading || complete.size !== this.arrived;
    this.arrived = complete.size;
    if (this.held && this.rows.length > 0 && !arriving) this.refresh(batch);
    else this.place(this.order.slice());
    if (arriving) this.countNow();
    else this.count();
    this.tell();
  }

  // change moves one row within the order.
  private change(id: string): void {
    const old = this.member.get(id);
    if (old) this.order.splice(this.find(old), 1);
    this.member.delete(id);
    const row = this.incidents.rows.get(id);
    if (!row || !matches(row, this.filter)) return;
    this.order.splice(this.find(row), 0, row);
    this.member.set(id, row);
  }

  // find returns where a row stands, or belongs.
  private find(row: Row): number {
    let low = 0;
    let high = this.order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(this.order[middle]!, row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // refresh brings held rows up to date where they stand, and notes which others wait. Only what is gone altogether, as
  // after a change of the organization, leaves.
  private refresh(batch: Batch): void {
    const rows = this.rows.slice();
    const back: { row: Row; to: number }[] = [];
    let gone = false;
    for (const id of batch) {
      const at = this.at.get(id);
      const row = this.incidents.rows.get(id);
      const to = this.returning.get(id);
      if (at === undefined && to !== undefined && row && this.member.has(id)) {
        back.push({ row, to });
      } else if (at !== undefined) {
        if (row) rows[at] = row;
        else gone = true;
      } else if (this.member.has(id)) {
        this.waiting.add(id);
      } else {
        this.waiting.delete(id);
      }
    }
    for (const { row, to } of back.sort((a, b) => a.to - b.to)) {
      rows.splice(Math.min(to, rows.length), 0, row);
      this.returning.delete(row.id);
    }
    this.rows = rows;
    if (gone || back.length > 0) this.place(rows.filter((r) => this.incidents.rows.has(r.id)));
  }

  private place(rows: Row[]): void {
    this.rows = rows;
    this.at = new Map(rows.map((r, i) => [r.id, i]));
    this.waiting = new Set();
    if (rows.length === this.order.length) return;
    for (const r of this.order) if (!this.at.has(r.id)) this.waiting.add(r.id);
  }

  private sortAnew(): void {
    this.order = [...this.incidents.rows.values()].filter((r) => matches(r, this.filter)).sort(this.compare);
    this.member = new Map(this.order.map((r) => [r.id, r]));
  }

  private rebuild(): void {
    this.sortAnew();
    this.place(this.order.slice());
    this.countNow();
    this.tell();
  }

  // count counts facets at most once a second.
  private count(): void {
    if (this.counting !== undefined) return;
    this.counting = setTimeout(
      () => {
        this.countNow();
        this.tell();
      },
      Math.max(0, this.counted + countEvery - this.now()),
    );
  }

  private countNow(): void {
    clearTimeout(this.counting);
    this.counting = undefined;
    this.counted = this.now();
    this.counts = countFacets(this.incidents.rows.values(), this.filter);
  }

  private tell(): void {
    this.shown = { rows: this.rows, waiting: this.waiting.size, held: this.held, facets: this.counts, total: this.order.length };
    for (const listener of this.listeners) listener();
  }
}
