import { useEffect, useState, useSyncExternalStore } from 'react';
import { backtests } from '../api/clients';
import { Backtest, type Run, type Span, type Trial } from './backtest';

export interface Comparison {
  run: Run;
  span: Span;
  setSpan: (s: Span) => void;
  // Why it cannot be done; empty when it can.
  why: string;
  start: () => void;
  stop: () => void;
}

// useBacktest compares a trial with what runs, when it is told to. What was found is forgotten with the next trial: keep
// it the same object while it is the same.
export function useBacktest(trial: Trial | undefined, why: string): Comparison {
  const [test] = useState(() => new Backtest((request, options) => backtests.backtestModule(request, options)));
  const [span, setSpan] = useState<Span>({ last: 3_600, shadow: 0 });
  const run = useSyncExternalStore(test.subscribe, test.current);
  useEffect(() => () => test.stop(), [test, trial]);
  return { run, span, setSpan, why, start: () => void (trial && !why && test.start(trial, span)), stop: () => test.stop() };
}
