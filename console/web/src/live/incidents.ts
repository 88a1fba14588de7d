// What the console knows of incidents, and how a frame changes it. Readers get batches, at most four a second, and none
// while somebody scrolls.

import type { Incident } from '../gen/vedette/v1/incident_pb';
import type { Changes } from '../gen/vedette/v1/live_pb';
import { before, type Row, rowOf } from './row';

export const publishEvery = 250; // ms
const longestQuiet = 1_000; // ms that scrolling may put a batch off

// Batch is what changed since the last one: ids whose rows are new, changed or gone.
export type Batch = ReadonlySet<string>;

// Prediction is what a person did to an incident; it returns a changed copy.
export type Prediction = (incident: Incident) => Incident;

export class Incidents {
  readonly rows = new Map<string, Row>();
  // Per organization the cursor to resume from; one whose snapshot is not through has none.
  readonly cursors = new Map<number, bigint>();
  // Organizations whose snapshot has been through once.
  readonly complete = new Set<number>();
  // Changes that were folded into later ones because this browser was slow.
  missed = 0;
  // Organizations whose cursor was too old, so that they were loaded anew.
  readonly gaps = new Set<number>();

  private guesses = new Map<string, { actual: Incident; changes: Prediction[] }>();
  private snapshots = new Map<number, Set<string>>();
  private changed = new Set<string>();
  private listeners = new Set<(batch: Batch) => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private published = 0;
  private quietUntil = 0;
  private since = 0; // when the oldest change came that is not published

  constructor(private readonly now: () => number = () => performance.now()) {}

  subscribe(listener: (batch: Batch) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  apply(changes: Changes): void {
    const { tenant } = changes;
    if (changes.snapshot) {
      this.snapshots.set(tenant, new Set());
      this.cursors.delete(tenant);
    }
    if (changes.gap) this.gaps.add(tenant);
    const snapshot = this.snapshots.get(tenant);
    for (const incident of changes.incidents) {
      this.put(incident);
      snapshot?.add(incident.id);
    }
    if (!changes.more) {
      if (snapshot) this.endSnapshot(tenant, snapshot);
      this.cursors.set(tenant, changes.cursor);
    }
    this.missed += Number(changes.missed);
    this.schedule();
  }

  // put takes over an incident that a call has returned, or that a frame brought. An older state never replaces a newer.
  put(incident: Incident): void {
    const guess = this.guesses.get(incident.id);
    const old = guess?.actual ?? this.rows.get(incident.id)?.incident;
    if (old && before(incident.updatedAt, old.updatedAt)) return;
    if (guess) guess.actual = incident;
    this.show(incident.id, incident);
    this.schedule();
  }

  // predict shows an incident as it will be once the host has agreed, until settle is called with the same change. What
  // the stream brings meanwhile is shown with the change in it.
  predict(id: string, change: Prediction): void {
    const row = this.rows.get(id);
    if (!row) return;
    const guess = this.guesses.get(id) ?? { actual: row.incident, changes: [] };
    guess.changes.push(change);
    this.guesses.set(id, guess);
    this.show(id, guess.actual);
    this.schedule();
  }

  // settle ends a prediction: the host has answered with the incident, or has refused.
  settle(id: string, change: Prediction, answer?: Incident): void {
    const guess = this.guesses.get(id);
    if (!guess) return;
    guess.changes = guess.changes.filter((c) => c !== change);
    if (answer && !before(answer.updatedAt, guess.actual.updatedAt)) guess.actual = answer;
    if (this.rows.has(id)) this.show(id, guess.actual);
    if (guess.changes.length === 0) this.guesses.delete(id);
    this.schedule();
  }

  // retain forgets everything of other organizations.
  retain(tenants: readonly number[]): void {
    for (const [id, row] of this.rows) {
      if (!tenants.includes(row.tenant)) this.remove(id);
    }
    for (const known of [this.cursors, this.snapshots, this.complete, this.gaps]) {
      for (const t of [...known.keys()]) if (!tenants.includes(t)) known.delete(t);
    }
    this.schedule();
  }

  // loading reports whether a snapshot comes in of an organization that nothing was known of.
  get loading(): boolean {
    return [...this.snapshots.keys()].some((t) => !this.complete.has(t));
  }

  // seen forgets what was missed, once a person has read it.
  seen(): void {
    this.missed = 0;
    this.gaps.clear();
    this.publish();
  }

  // quiet puts batches off while somebody scrolls.
  quiet(ms = 150): void {
    this.quietUntil = this.now() + ms;
  }

  // publish hands over what has changed at once.
  publish(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.published = this.now();
    const batch = this.changed;
    this.changed = new Set();
    for (const listener of this.listeners) listener(batch);
  }

  private show(id: string, actual: Incident): void {
    const changes = this.guesses.get(id)?.changes ?? [];
    this.rows.set(id, rowOf(changes.reduce((incident, change) => change(incident), actual)));
    this.changed.add(id);
  }

  private remove(id: string): void {
    this.guesses.delete(id);
    this.rows.delete(id);
    this.changed.add(id);
  }

  private endSnapshot(tenant: number, kept: Set<string>): void {
    for (const [id, row] of this.rows) {
      if (row.tenant === tenant && !kept.has(id)) this.remove(id);
    }
    this.snapshots.delete(tenant);
    this.complete.add(tenant);
  }

  private schedule(): void {
    if (this.timer !== undefined) return;
    this.since = this.now();
    this.timer = setTimeout(() => this.due(), Math.max(0, this.published + publishEvery - this.since));
  }

  private due(): void {
    const now = this.now();
    const until = Math.min(this.quietUntil, this.since + longestQuiet);
    if (until > now) this.timer = setTimeout(() => this.due(), until - now);
    else this.publish();
  }
}
