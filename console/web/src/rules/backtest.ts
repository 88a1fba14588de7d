// What a rule would have raised: a run over what is stored, and then beside the stream.

import { create } from '@bufbuild/protobuf';
import { DurationSchema } from '@bufbuild/protobuf/wkt';
import type { BacktestRuleRequest, BacktestRuleResponse, RuleBacktest, RunIncident } from '../gen/vedette/v1/rule_pb';
import { count, plural } from '../ui/age';

// Span is how far it looks back, and how long it then runs beside the stream, in seconds.
export interface Span {
  readonly last: number;
  readonly shadow: number;
}

export type Run =
  | { readonly phase: 'none' }
  | { readonly phase: 'stored'; readonly events: number; readonly incidents: number }
  // Beside the stream since a moment in milliseconds.
  | { readonly phase: 'live'; readonly since: number; readonly events: number; readonly news: readonly RunIncident[] }
  | { readonly phase: 'done'; readonly report: RuleBacktest; readonly span: Span }
  | { readonly phase: 'failed'; readonly error: unknown };

export type Ask = (request: Pick<BacktestRuleRequest, 'text' | 'tenant' | 'last' | 'shadow'>, options: { signal: AbortSignal }) => AsyncIterable<BacktestRuleResponse>;

const none: Run = { phase: 'none' };
const mostNews = 100;

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
  async start(rule: { text: string; tenant: number }, span: Span): Promise<void> {
    this.running?.abort();
    const own = new AbortController();
    this.running = own;
    this.set(span.last > 0 ? { phase: 'stored', events: 0, incidents: 0 } : { phase: 'live', since: this.now(), events: 0, news: [] });
    let stored = 0;
    try {
      const request = { ...rule, ...(span.last > 0 ? { last: seconds(span.last) } : {}), ...(span.shadow > 0 ? { shadow: seconds(span.shadow) } : {}) };
      for await (const m of this.ask(request as BacktestRuleRequest, { signal: own.signal })) {
        if (own.signal.aborted) return;
        if (m.report) return this.set({ phase: 'done', report: m.report, span });
        if (m.phase !== 'live') {
          stored = m.events;
          this.set({ phase: 'stored', events: m.events, incidents: m.incidents });
          continue;
        }
        const before = this.run.phase === 'live' ? this.run : { since: this.now(), news: [] };
        this.set({ phase: 'live', since: before.since, events: Math.max(0, m.events - stored), news: [...before.news, ...m.news].slice(-mostNews) });
      }
      throw new Error('the host ended the backtest without an answer');
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
  { value: '3600', label: 'Last hour', words: 'the last hour' },
  { value: '86400', label: 'Last day', words: 'the last day' },
  { value: '604800', label: 'Last week', words: 'the last week' },
  { value: '2592000', label: 'Last 30 days', words: 'the last 30 days' },
  { value: '0', label: 'Nothing stored', words: '' },
] as const;

export const shadows = [
  { value: '0', label: 'stored events only' },
  { value: '60', label: 'then 1 min beside the stream' },
  { value: '300', label: 'then 5 min beside the stream' },
  { value: '600', label: 'then 10 min beside the stream' },
] as const;

// verdict says in a sentence what a run found.
export function verdict(r: RuleBacktest, span: Span): string {
  const words = spans.find((s) => Number(s.value) === span.last)?.words;
  const stored = Math.max(0, r.events - r.liveEvents);
  const over = [words && `${words}${r.truncated ? `, as far as the newest ${plural(stored, 'event')} go` : ''}`, span.shadow > 0 && `${Math.round(span.shadow / 60)} min of the stream`].filter(Boolean).join(' and ');
  if (r.events === 0) return `Over ${over} there is no event.`;
  const part = r.matched === 0 ? `none of ${plural(r.events, 'event')} takes part` : `${count(r.matched)} of ${plural(r.events, 'event')} ${r.matched === 1 ? 'takes' : 'take'} part`;
  return `Over ${over} it would have raised ${r.total === 0 ? 'no incident' : plural(r.total, 'incident')}; ${part}.`;
}
