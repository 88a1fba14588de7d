import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Latest } from './latest';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('asks once the typing rests, and only the newest question', async () => {
  const asked: string[] = [];
  const latest = new Latest(async (q: string) => (asked.push(q), q.length), 150);
  for (const q of ['a', 'ab', 'abc']) {
    latest.put(q);
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(50);
  expect(asked).toEqual(['abc']);
  expect(latest.current()).toEqual({ value: 3, error: undefined, busy: false });
});

it('keeps the last answer while it asks, and drops one that comes too late', async () => {
  const answers: ((n: number) => void)[] = [];
  const signals: AbortSignal[] = [];
  const latest = new Latest((_: string, signal) => (signals.push(signal), new Promise<number>((r) => answers.push(r))), 10);
  latest.put('one');
  await vi.advanceTimersByTimeAsync(10);
  answers[0]!(1);
  await vi.advanceTimersByTimeAsync(0);
  latest.put('two');
  await vi.advanceTimersByTimeAsync(10);
  expect(latest.current()).toMatchObject({ value: 1, busy: true });
  latest.put('three');
  expect(signals[1]!.aborted).toBe(true);
  await vi.advanceTimersByTimeAsync(10);
  answers[1]!(2);
  answers[2]!(3);
  await vi.advanceTimersByTimeAsync(0);
  expect(latest.current()).toMatchObject({ value: 3, busy: false });
});

it('tells of failures, and forgets everything when there is nothing to ask', async () => {
  const latest = new Latest(async () => Promise.reject(new Error('no')), 10);
  const told = vi.fn();
  latest.subscribe(told);
  latest.put('x');
  await vi.advanceTimersByTimeAsync(10);
  expect(latest.current().error).toEqual(new Error('no'));
  latest.put(undefined);
  expect(latest.current()).toEqual({ value: undefined, error: undefined, busy: false });
  expect(told).toHaveBeenCalledTimes(3);
});
