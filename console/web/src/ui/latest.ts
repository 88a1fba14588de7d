// Calls while somebody types: only the newest question counts, and it is asked when the typing rests.

import { useEffect, useState, useSyncExternalStore } from 'react';

export interface Answer<R> {
  // Of the newest question that was answered; it stays while the next one is asked.
  readonly value: R | undefined;
  readonly error: unknown;
  readonly busy: boolean;
}

const nothing = { value: undefined, error: undefined, busy: false };

export class Latest<Q, R> {
  private answer: Answer<R> = nothing;
  private listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: AbortController | undefined;

  // wait is in milliseconds.
  constructor(
    private readonly ask: (question: Q, signal: AbortSignal) => Promise<R>,
    private readonly wait: number,
  ) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  current = (): Answer<R> => this.answer;

  // put asks a question soon; undefined is none, and forgets the answer.
  put(question: Q | undefined): void {
    clearTimeout(this.timer);
    this.running?.abort();
    if (question === undefined) return this.set(nothing);
    this.set({ ...this.answer, busy: true });
    this.timer = setTimeout(() => void this.run(question), this.wait);
  }

  private async run(question: Q): Promise<void> {
    const own = new AbortController();
    this.running = own;
    try {
      const value = await this.ask(question, own.signal);
      if (!own.signal.aborted) this.set({ value, error: undefined, busy: false });
    } catch (error) {
      if (!own.signal.aborted) this.set({ value: undefined, error, busy: false });
    }
  }

  private set(answer: Answer<R>): void {
    this.answer = answer;
    for (const listener of this.listeners) listener();
  }
}

// useLatest asks while a component is shown; ask and wait are those of its first rendering.
export function useLatest<Q, R>(ask: (question: Q, signal: AbortSignal) => Promise<R>, wait: number): [Latest<Q, R>, Answer<R>] {
  const [latest] = useState(() => new Latest(ask, wait));
  useEffect(() => () => latest.put(undefined), [latest]);
  return [latest, useSyncExternalStore(latest.subscribe, latest.current)];
}
