// What a candidate would have changed: the run, and the words for what it found.

import { create } from '@bufbuild/protobuf';
import { DurationSchema } from '@bufbuild/protobuf/wkt';
import type { BacktestExample, BacktestIncident, BacktestModuleRequest, BacktestModuleResponse, BacktestReport } from '../gen/vedette/v1/backtest_pb';
import { count, plural } from '../ui/age';

// Trial is what would run, and for whom.
export interface Trial {
  // 0 for all organizations.
  readonly tenant: number;
  // Of a parser that is given by its spec.
  readonly name: string;
  readonly candidate: Exclude<BacktestModuleRequest['candidate'], { case: undefined }>;
  readonly grants: readonly string[];
}

// Span is how far it looks: back, and then beside the stream, in seconds.
export interface Span {
  readonly last: number;
  readonly shadow: number;
}

export type Run =
  | { readonly phase: 'none' }
  | { readonly phase: 'stored'; readonly records: number; readonly changed: number }
  // Beside the stream since a moment in milliseconds; live and differ count records of the stream.
  | { readonly phase: 'live'; readonly since: number; readonly live: number; readonly differ: number }
  | { readonly phase: 'done'; readonly report: BacktestReport; readonly span: Span }
  | { readonly phase: 'failed'; readonly error: unknown };

export type Ask = (
  request: Pick<BacktestModuleRequest, 'tenant' | 'name' | 'candidate' | 'grants' | 'last' | 'shadow'>,
  options: { signal: AbortSignal },
) => AsyncIterable<BacktestModuleResponse>;

const none: Run = { phase: 'none' };

export class Backtest {
  private run: Run = none;
  private running: AbortController | undefined;
  private listeners = new Set<() => void>();

  constructor(
    private readonly ask: Ask,
    private readonly now: () => number = Date.now,
  ) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  current = (): Run => this.run;

  // stop ends a run and forgets what an earlier one found.
  stop(): void {
    this.running?.abort();
    this.running = undefined;
    if (this.run !== none) this.set(none);
  }

  // start begins a run; one on its way ends.
  async start(trial: Trial, span: Span): Promise<void> {
    this.running?.abort();
    const own = new AbortController();
    this.running = own;
    this.set({ phase: 'stored', records: 0, changed: 0 });
    let stored = { records: 0, changed: 0 };
    try {
      const request = { ...trial, grants: [...trial.grants], last: seconds(span.last), ...(span.shadow > 0 ? { shadow: seconds(span.shadow) } : {}) };
      for await (const m of this.ask(request as BacktestModuleRequest, { signal: own.signal })) {
        if (own.signal.aborted) return;
        if (m.report) return this.set({ phase: 'done', report: m.report, span });
        if (m.phase !== 'live') this.set({ phase: 'stored', ...(stored = { records: m.records, changed: m.changed }) });
        else {
          const since = this.run.phase === 'live' ? this.run.since : this.now();
          this.set({ phase: 'live', since, live: m.records - stored.records, differ: m.changed - stored.changed });
        }
      }
      throw new Error('the host ended the comparison without an answer');
    } catch (error) {
      if (!own.signal.aborted) this.set({ phase: 'failed', error });
    }
  }

  private set(run: Run): void {
    this.run = run;
    for (const listener of this.listeners) listener();
  }
}

const seconds = (n: number) => create(DurationSchema, { seconds: BigInt(n) });

export const spans = [
  { value: 3_600, label: 'Last hour', words: 'the last hour' },
  { value: 86_400, label: 'Last day', words: 'the last day' },
] as const;

export const shadows = [
  { value: 0, label: 'Stored records only' },
  { value: 60, label: 'then 1 min beside the stream' },
  { value: 300, label: 'then 5 min beside the stream' },
  { value: 600, label: 'then 10 min beside the stream' },
] as const;

export const incidentsOf = (r: BacktestReport): number => r.incidentsAppear + r.incidentsDisappear + r.incidentsRecounted;

// verdict says in a sentence what a run found.
export function verdict(r: BacktestReport, span: Span): string {
  const over = `Over ${spans.find((s) => s.value === span.last)?.words ?? 'the records'}`;
  if (r.records === 0) return `${over} there is no record to compare it on.`;
  const incidents = incidentsOf(r);
  if (r.changed === 0 && incidents === 0) return `${over} it would have changed nothing: ${plural(r.records, 'record')} and all incidents come out the same.`;
  if (r.changed === 0) return `${over} it would have changed ${plural(incidents, 'incident')}; the events of all ${plural(r.records, 'record')} come out the same.`;
  return `${over} it would have changed the events of ${count(r.changed)} of ${plural(r.records, 'record')} and ${incidents > 0 ? plural(incidents, 'incident') : 'no incident'}.`;
}

export type Change = 'new' | 'lost' | 'rewritten';

export const changes: readonly { readonly value: Change; readonly label: string }[] = [
  { value: 'new', label: 'Newly read' },
  { value: 'lost', label: 'No longer read' },
  { value: 'rewritten', label: 'Rewritten' },
];

// changeOf says what becomes of a record.
export const changeOf = (e: Pick<BacktestExample, 'parser' | 'wouldParser'>): Change => (e.parser === '' && e.wouldParser !== '' ? 'new' : e.parser !== '' && e.wouldParser === '' ? 'lost' : 'rewritten');

// changed counts the records of each kind.
export const changed = (r: BacktestReport): Record<Change, number> => ({ new: r.newlyRead, lost: r.noLongerRead, rewritten: Math.max(0, r.changed - r.newlyRead - r.noLongerRead) });

// select returns the records of a kind in which a field differs; "" is any.
export const select = (examples: readonly BacktestExample[], kind: string, field: string): BacktestExample[] =>
  examples.filter((e) => (kind === '' || changeOf(e) === kind) && (field === '' || e.fields.some((f) => f.name === field)));

// fateOf says what becomes of an incident.
export function fateOf(i: Pick<BacktestIncident, 'is' | 'would'>): string {
  if (i.is === 0n) return 'would appear';
  if (i.would === 0n) return 'would not be';
  return `would count ${count(i.would)}, not ${count(i.is)}`;
}
