import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Incidents } from '../live/incidents';
import { changes, incident } from '../live/testdata';
import { compareBy, countFacets, filterOf, matches, queueParams } from './filter';
import { QueueView } from './view';

const filter = (more: Partial<typeof queueParams> = {}) => filterOf({ ...queueParams, ...more }, 'ann', new Date('2026-01-31T12:00:00Z'));

let incidents: Incidents;
let view: QueueView;
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  incidents = new Incidents();
  view = new QueueView(incidents);
  stop = view.start();
  view.look(filter(), '-opened');
});
afterEach(() => {
  stop();
  vi.useRealTimers();
});

const ids = () => view.current().rows.map((r) => r.id);
const put = (...list: Parameters<typeof incident>[]) => {
  for (const i of list) incidents.put(incident(...i));
  incidents.publish();
};

describe('order', () => {
  it('is newest first, equal ones by id', () => {
    put(['c', { opened: 5 }], ['a', { opened: 5 }], ['b', { opened: 9 }]);
    expect(ids()).toEqual(['b', 'a', 'c']);
  });

  it.each(['-opened', 'opened', '-last', '-severity', 'severity', '-count', 'count'])('by %s stays what sorting anew gives', (sort) => {
    let seed = 7;
    const random = (n: number) => (seed = (Math.imul(seed, 48271) >>> 0) % 2147483647) % n;
    view.look(filter(), sort);
    for (let round = 0; round < 60; round++) {
      for (let n = random(12); n >= 0; n--) {
        const severity = ['critical', 'high', 'medium', 'low', 'informational'][random(5)]!;
        const state = random(4) === 0 ? 'resolved' : 'open';
        incidents.put(incident(`i${random(80)}`, { opened: random(20), updated: 1_000 + round, severity, state, count: BigInt(random(9)) }));
      }
      incidents.publish();
      const want = [...incidents.rows.values()].filter((r) => matches(r, filter())).sort(compareBy(sort));
      expect(ids()).toEqual(want.map((r) => r.id));
    }
  });

  it('of many changes at once is right too', () => {
    put(...Array.from({ length: 2_000 }, (_, i): [string, object] => [`i${i}`, { opened: (i * 7919) % 2_003 }]));
    const opened = view.current().rows.map((r) => r.opened);
    expect(opened).toEqual(opened.toSorted((a, b) => b - a));
    expect(opened).toHaveLength(2_000);
  });
});

describe('a held list', () => {
  beforeEach(() => {
    put(['a', { opened: 10 }], ['b', { opened: 20 }]);
    view.hold(true);
  });

  it('collects new rows instead of moving others', () => {
    put(['c', { opened: 30 }], ['d', { opened: 5 }]);
    expect(ids()).toEqual(['b', 'a']);
    expect(view.current()).toMatchObject({ waiting: 2, held: true, total: 4 });
  });

  it('shows them when asked to, and goes on holding', () => {
    put(['c', { opened: 30 }]);
    view.release();
    expect(ids()).toEqual(['c', 'b', 'a']);
    put(['d', { opened: 40 }]);
    expect(view.current()).toMatchObject({ waiting: 1, held: true });
    view.hold(false);
    expect(ids()).toEqual(['d', 'c', 'b', 'a']);
  });

  it('brings rows up to date where they stand', () => {
    put(['a', { opened: 10, updated: 99, count: 5n }]);
    expect(view.current().rows[1]!.count).toBe(5);
    put(['b', { opened: 20, updated: 99, state: 'acknowledged' }]);
    expect(ids()).toEqual(['b', 'a']);
    expect(view.current().rows[0]!.state).toBe('acknowledged');
    view.hold(false);
    expect(ids()).toEqual(['a']);
  });

  it('is not held before anything is there', () => {
    incidents.apply(changes({ tenant: 3, snapshot: true, more: true, cursor: 9n, incidents: [incident('c', { tenant: 3, opened: 30 })] }));
    incidents.publish();
    expect(ids()).toEqual(['c', 'b', 'a']);
    incidents.apply(changes({ tenant: 3, cursor: 9n, incidents: [incident('d', { tenant: 3, opened: 40 })] }));
    incidents.publish();
    expect(ids()).toEqual(['d', 'c', 'b', 'a']);
    put(['f', { opened: 45 }]);
    expect(view.current()).toMatchObject({ waiting: 1, held: true });
    view.look(filter({ host: ['web1'] }), '-opened');
    put(['e', { opened: 50, key: { 'host.name': 'web1' } }]);
    expect(ids()).toEqual(['e']);
  });

  it('is not held while organizations come, one after the other', () => {
    incidents.apply(changes({ snapshot: true, incidents: [incident('a', { opened: 10 }), incident('b', { opened: 20 })] }));
    incidents.publish();
    incidents.apply(changes({ tenant: 2, snapshot: true, incidents: [incident('c', { tenant: 2, opened: 30 })] }));
    incidents.publish();
    expect(ids()).toEqual(['c', 'b', 'a']);
    put(['d', { opened: 40 }]);
    expect(view.current()).toMatchObject({ waiting: 1 });
  });

  it('lets go of what is gone altogether', () => {
    put(['c', { opened: 30, tenant: 2 }]);
    view.release();
    incidents.retain([2]);
    incidents.publish();
    expect(ids()).toEqual(['c']);
  });

  it('does not count one that was resolved before it was shown', () => {
    put(['c', { opened: 30 }]);
    put(['c', { opened: 30, updated: 50, state: 'resolved' }]);
    expect(view.current().waiting).toBe(0);
  });

  it('lets rows leave, and takes them back to where they were', () => {
    put(['c', { opened: 15 }]);
    view.release();
    expect(ids()).toEqual(['b', 'c', 'a']);
    const back = view.leave(['c', 'a']);
    expect(ids()).toEqual(['b']);
    back();
    expect(ids()).toEqual(['b', 'c', 'a']);
    expect(view.current().waiting).toBe(0);
    back();
    expect(ids()).toEqual(['b', 'c', 'a']);
  });

  it('takes rows back where they were when the host says so later', () => {
    const back = view.leave(['b']);
    put(['b', { opened: 20, updated: 30, state: 'resolved' }]);
    back(); // the host has not answered yet
    expect(ids()).toEqual(['a']);
    put(['c', { opened: 30 }], ['b', { opened: 20, updated: 40 }]);
    expect(ids()).toEqual(['b', 'a']);
    expect(view.current().waiting).toBe(1); // nobody put c back
    put(['b', { opened: 20, updated: 50, state: 'resolved' }]);
    view.release();
    put(['b', { opened: 20, updated: 60 }]);
    expect(ids()).toEqual(['c', 'a']);
  });

  it('stands still while two hundred changes a second go by', () => {
    for (let second = 0; second < 5; second++) {
      for (let i = 0; i < 200; i++) incidents.put(incident(`n${second}-${i}`, { opened: 100 + i }));
      vi.advanceTimersByTime(1_000);
    }
    expect(ids()).toEqual(['b', 'a']);
    expect(view.current().waiting).toBe(1_000);
  });
});

describe('filters', () => {
  beforeEach(() => {
    put(
      ['a', { severity: 'high', key: { 'host.name': 'web1', 'user.name': 'root' }, techniques: ['T1110'] }],
      ['b', { severity: 'low', key: { 'host.name': 'web2' }, assignee: 'ann' }],
      ['c', { severity: 'high', key: { 'source.ip': '203.0.113.7' }, state: 'resolved', updated: Date.parse('2026-01-31T11:00:00Z') }],
      ['d', { severity: 'critical', tenant: 2, state: 'acknowledged', title: 'Event log cleared' }],
    );
  });

  it.each<[string, Partial<typeof queueParams>, string[]]>([
    ['open', {}, ['a', 'b']],
    ['any state', { state: ['any'] }, ['a', 'b', 'c', 'd']],
    ['mine', { who: ['me'] }, ['b']],
    ['nobody’s', { who: ['nobody'] }, ['a']],
    ['severities', { state: ['any'], sev: ['critical', 'low'] }, ['b', 'd']],
    ['an organization', { state: ['any'], in: ['2'] }, ['d']],
    ['a host', { host: ['web1'] }, ['a']],
    ['a user', { user: ['root'] }, ['a']],
    ['a technique', { tech: ['T1110'] }, ['a']],
    ['words, whatever the case', { state: ['any'], q: 'LOG  event' }, ['d']],
    ['an address', { state: ['any'], q: '203.0' }, ['c']],
    ['today', { state: ['resolved'], since: 'today' }, ['c']],
    ['nothing', { q: 'no such thing' }, []],
  ])('%s', (_, params, want) => {
    view.look(filter(params), '-opened');
    expect(ids().sort()).toEqual(want);
  });

  it('count each value among what the other facets leave', () => {
    const counts = countFacets(incidents.rows.values(), filter({ sev: ['high'] }));
    expect(Object.fromEntries(counts.sev)).toEqual({ high: 1, low: 1 }); // open ones of any severity
    expect(Object.fromEntries(counts.state)).toEqual({ open: 1, resolved: 1 }); // high ones of any state
    expect(Object.fromEntries(counts.host)).toEqual({ web1: 1 });
  });

  it('are counted anew at most once a second', () => {
    vi.advanceTimersByTime(2_000);
    const before = view.current().facets;
    put(['e', { severity: 'medium' }]);
    vi.advanceTimersByTime(1);
    expect(view.current().facets).not.toBe(before);
    const after = view.current().facets;
    put(['f', { severity: 'medium' }]);
    expect(view.current().facets).toBe(after);
    vi.advanceTimersByTime(1_000);
    expect(view.current().facets.sev.get('medium')).toBe(2);
  });
});
