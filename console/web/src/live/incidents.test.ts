import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Batch, Incidents, publishEvery } from './incidents';
import { changes, incident } from './testdata';

let batches: Batch[];
let store: Incidents;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  batches = [];
  store = new Incidents();
  store.subscribe((b) => batches.push(b));
});
afterEach(() => vi.useRealTimers());

const ids = () => [...store.rows.keys()].sort();

describe('frames', () => {
  it('a snapshot of several frames has a cursor when it is through', () => {
    store.apply(changes({ snapshot: true, more: true, cursor: 3n, incidents: [incident('a')] }));
    expect(store.cursors.has(1)).toBe(false);
    expect(store.complete.has(1)).toBe(false);
    store.apply(changes({ cursor: 3n, incidents: [incident('b')] }));
    expect(store.cursors.get(1)).toBe(3n);
    expect(store.complete.has(1)).toBe(true);
    expect(ids()).toEqual(['a', 'b']);
  });

  it('a snapshot after a gap replaces what its organization had, and nothing before its end', () => {
    store.apply(changes({ snapshot: true, cursor: 1n, incidents: [incident('a'), incident('b')] }));
    store.apply(changes({ tenant: 2, snapshot: true, cursor: 1n, incidents: [incident('other', { tenant: 2 })] }));
    store.apply(changes({ snapshot: true, gap: true, more: true, cursor: 9n, incidents: [incident('b')] }));
    expect(ids()).toEqual(['a', 'b', 'other']);
    store.apply(changes({ cursor: 9n, incidents: [incident('c')] }));
    expect(ids()).toEqual(['b', 'c', 'other']);
    expect([...store.gaps]).toEqual([1]);
  });

  it('a snapshot that was cut begins anew', () => {
    store.apply(changes({ snapshot: true, more: true, cursor: 5n, incidents: [incident('a')] }));
    store.apply(changes({ snapshot: true, cursor: 6n, incidents: [incident('b')] }));
    expect(ids()).toEqual(['b']);
    expect(store.cursors.get(1)).toBe(6n);
  });

  it('an older state never replaces a newer one', () => {
    store.apply(changes({ cursor: 1n, incidents: [incident('a', { updated: 2_000, count: 7n })] }));
    store.put(incident('a', { updated: 1_500, count: 6n }));
    expect(store.rows.get('a')!.count).toBe(7);
  });

  it('tells states apart that are less than a millisecond apart', () => {
    const at = (nanos: number, state: string) => ({ ...incident('a', { state }), updatedAt: { ...incident('a').updatedAt!, nanos } });
    store.put(at(2_000, 'resolved'));
    store.put(at(1_000, 'acknowledged'));
    expect(store.rows.get('a')!.state).toBe('resolved');
  });

  it('sums up what was missed until a person has seen it', () => {
    store.apply(changes({ cursor: 1n, missed: 58n }));
    store.apply(changes({ cursor: 2n, missed: 2n }));
    expect(store.missed).toBe(60);
    store.seen();
    expect(store.missed).toBe(0);
  });

  it('retain forgets other organizations with their cursors', () => {
    for (const tenant of [1, 2]) store.apply(changes({ tenant, snapshot: true, cursor: 4n, incidents: [incident(`i${tenant}`, { tenant })] }));
    store.retain([2]);
    expect(ids()).toEqual(['i2']);
    expect([...store.cursors]).toEqual([[2, 4n]]);
    store.retain([]);
    expect(ids()).toEqual([]);
  });
});

describe('publishing', () => {
  it('happens at most four times a second, with everything that changed', () => {
    vi.advanceTimersByTime(1_000);
    for (let i = 0; i < 200; i++) {
      store.apply(changes({ cursor: BigInt(i), incidents: [incident(`i${i % 20}`, { updated: 1_000 + i })] }));
      vi.advanceTimersByTime(5);
    }
    vi.advanceTimersByTime(publishEvery);
    expect(batches.length).toBeGreaterThanOrEqual(4);
    expect(batches.length).toBeLessThanOrEqual(6);
    expect(new Set(batches.flatMap((b) => [...b])).size).toBe(20);
  });

  it('waits while somebody scrolls, but for no longer than a second', () => {
    vi.advanceTimersByTime(1_000);
    store.quiet();
    store.apply(changes({ cursor: 1n, incidents: [incident('a')] }));
    vi.advanceTimersByTime(140);
    expect(batches).toHaveLength(0);
    vi.advanceTimersByTime(20);
    expect(batches).toHaveLength(1);
    store.apply(changes({ cursor: 2n, incidents: [incident('b')] }));
    for (let i = 0; i < 14; i++) {
      store.quiet();
      vi.advanceTimersByTime(100);
    }
    expect(batches).toHaveLength(2);
  });
});

describe('predictions', () => {
  const acknowledge = (i: ReturnType<typeof incident>) => ({ ...i, state: 'acknowledged' });

  it('show at once, stay while the stream goes on, and end with the answer', () => {
    store.put(incident('a', { updated: 1_000 }));
    store.predict('a', acknowledge);
    expect(store.rows.get('a')!.state).toBe('acknowledged');
    store.put(incident('a', { updated: 1_100, count: 2n })); // fired again before the host has acted
    expect(store.rows.get('a')!).toMatchObject({ state: 'acknowledged', count: 2 });
    store.settle('a', acknowledge, incident('a', { updated: 1_200, count: 2n, state: 'acknowledged', assignee: 'ann' }));
    expect(store.rows.get('a')!).toMatchObject({ state: 'acknowledged' });
    expect(store.rows.get('a')!.incident.assignee).toBe('ann');
  });

  it('are taken back when the host refuses', () => {
    store.put(incident('a'));
    store.predict('a', acknowledge);
    store.settle('a', acknowledge);
    expect(store.rows.get('a')!.state).toBe('open');
  });

  it('of an incident that went meanwhile bring nothing back', () => {
    store.apply(changes({ snapshot: true, cursor: 1n, incidents: [incident('a')] }));
    store.predict('a', acknowledge);
    store.apply(changes({ snapshot: true, cursor: 2n }));
    store.settle('a', acknowledge, incident('a'));
    expect(store.rows.size).toBe(0);
  });
});
