import { describe, expect, it } from 'vitest';
import { age, rate } from './age';
import { apply, newestFirst, nothing, seen } from './store';
import type { Changes, Incident } from './wire';

const incident = (id: string, tenant: number, count: number, second = 0): Incident => ({
  id,
  tenant,
  count: String(count),
  state: 'open',
  updatedAt: `2026-01-31T12:00:${String(second).padStart(2, '0')}Z`,
});
const all = (...changes: Changes[]) => changes.reduce(apply, nothing);
const counts = (k: ReturnType<typeof all>) => Object.fromEntries([...k.incidents.values()].map((i) => [i.id, i.count]));

describe('apply', () => {
  it('takes a snapshot in several frames and resumes only after the last', () => {
    const first = all({ tenant: 1, snapshot: true, more: true, incidents: [incident('a', 1, 1)], cursor: '7' });
    expect(first.cursors).toEqual({});
    const whole = apply(first, { tenant: 1, incidents: [incident('b', 1, 2)], cursor: '7' });
    expect(counts(whole)).toEqual({ a: '1', b: '2' });
    expect(whole.cursors).toEqual({ '1': '7' });
  });

  it('replaces what changed and keeps other organizations', () => {
    const k = all(
      { tenant: 1, snapshot: true, incidents: [incident('a', 1, 1)], cursor: '1' },
      { tenant: 2, snapshot: true, incidents: [incident('b', 2, 1)], cursor: '5' },
      { tenant: 1, incidents: [incident('a', 1, 9), incident('c', 1, 1)], cursor: '3' },
    );
    expect(counts(k)).toEqual({ a: '9', b: '1', c: '1' });
    expect(k.cursors).toEqual({ '1': '3', '2': '5' });
  });

  it('drops the old list of that organization at a gap', () => {
    const k = all(
      { tenant: 1, snapshot: true, incidents: [incident('gone', 1, 1)], cursor: '1' },
      { tenant: 2, snapshot: true, incidents: [incident('b', 2, 1)], cursor: '5' },
      { tenant: 1, snapshot: true, gap: true, incidents: [incident('a', 1, 4)], cursor: '90' },
    );
    expect(counts(k)).toEqual({ a: '4', b: '1' });
    expect(k.cursors['1']).toBe('90');
  });

  it('starts anew when the connection was cut within a snapshot', () => {
    const cut = all(
      { tenant: 1, snapshot: true, incidents: [incident('a', 1, 1)], cursor: '1' },
      { tenant: 1, snapshot: true, gap: true, more: true, incidents: [incident('b', 1, 1)] },
    );
    expect(cut.cursors).toEqual({});
  });

  it('gives an empty organization a cursor', () => {
    expect(all({ tenant: 3, snapshot: true }).cursors).toEqual({ '3': '0' }); // JSON leaves 0 out
    expect(all({ tenant: 3, snapshot: true, cursor: '2' }).cursors).toEqual({ '3': '2' });
  });

  it('adds up what was missed until it is seen, and changes no earlier state', () => {
    const before = all({ tenant: 1, snapshot: true, cursor: '1' });
    const after = apply(before, { tenant: 1, incidents: [incident('a', 1, 60)], cursor: '60', missed: '58' });
    expect(apply(after, { tenant: 1, incidents: [], cursor: '70', missed: '2' }).missed).toBe(60);
    expect(before).toEqual({ incidents: new Map(), cursors: { '1': '1' }, missed: 0 });
    expect(seen(after).missed).toBe(0);
    expect(seen(before)).toBe(before);
  });
});

describe('newestFirst', () => {
  it('sorts by change, then id, filters and cuts', () => {
    const k = all({ tenant: 1, snapshot: true, cursor: '1', incidents: [incident('c', 1, 1, 5), incident('b', 1, 1, 9), incident('a', 1, 1, 5)] });
    const ids = (limit: number, wanted = (_: Incident) => true) => newestFirst(k, limit, wanted).map((i) => i.id);
    expect(ids(10)).toEqual(['b', 'a', 'c']);
    expect(ids(1)).toEqual(['b']);
    expect(ids(10, (i) => i.id !== 'b')).toEqual(['a', 'c']);
  });
});

describe('age', () => {
  const now = Date.parse('2026-01-31T12:00:00Z');
  it.each([
    ['2026-01-31T12:00:00.000Z', 'now'],
    ['2026-01-31T12:00:05Z', 'now'], // the host's clock is ahead
    ['2026-01-31T11:59:59Z', '1 s'],
    ['2026-01-31T11:59:01.123456789Z', '58 s'],
    ['2026-01-31T11:56:55Z', '3 m 5 s'],
    ['2026-01-31T11:57:00Z', '3 m'],
    ['2026-01-31T09:50:00Z', '2 h 10 m'],
    ['2026-01-31T11:00:00Z', '1 h'],
    ['2026-01-27T10:59:59Z', '4 d 1 h'],
    ['yesterday', '–'],
    [undefined, '–'],
  ])('%s is %s', (moment, want) => {
    expect(age(moment, now)).toBe(want);
  });
});

describe('rate', () => {
  it.each([
    [0, '0'],
    [0.31, '0.3'],
    [9.96, '10.0'],
    [47.4, '47'],
    [5012.2, '5,012'],
  ])('%d is %s', (perSecond, want) => {
    expect(rate(perSecond)).toBe(want);
  });
});
