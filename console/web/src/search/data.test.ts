import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it, vi } from 'vitest';
import { type Event, EventSchema, SearchResponseSchema } from '../gen/vedette/v1/event_pb';
import { columnsOf, place, switchColumn, toParam, usual, valueOf } from './columns';
import { collect, csvRow, fileName, jsonLine } from './file';
import { type Asked, Search, type Stream } from './run';
import { forget, history, maxHistory, remember, remove, save, saved } from './saved';
import { chartOf, shapeOf } from './shape';
import { maxRows, Ring, Tail } from './tail';

const event = (n: number, fields: Record<string, string> = {}): Event =>
  create(EventSchema, { id: `0-${n}-0-0-0`, tenant: 1, time: timestampFromMs(1_000 * n), raw: `line ${n}`, fields });
const line = (fields: Record<string, string>): Event => create(EventSchema, { fields });
const asked: Asked = { text: '*', from: 0, to: undefined, tenants: [], limit: 1_000 };
const response = (events: Event[], progress?: { coveredFrom: number; truncated?: boolean }) =>
  create(SearchResponseSchema, {
    events,
    ...(progress ? { progress: { coveredFrom: timestampFromMs(progress.coveredFrom), truncated: progress.truncated ?? false } } : {}),
  });

describe('columns in the address', () => {
  it('are the usual ones when none are named, and never one twice', () => {
    expect(columnsOf([])).toEqual(usual);
    expect(columnsOf(['a', '', 'b', 'a'])).toEqual(['a', 'b']);
    expect(columnsOf(Array.from({ length: 99 }, (_, i) => `f${i}`))).toHaveLength(24);
  });
  it('leave the address when they are the usual ones again', () => {
    expect(toParam(switchColumn(switchColumn(usual, 'x'), 'x'))).toEqual([]);
    expect(toParam(place(usual, 'summary', 0))).toEqual(['summary', 'event.dataset', 'host', 'user', 'source']);
  });
  it('move within their bounds, and the last one stays', () => {
    expect(place(['a', 'b', 'c'], 'c', -3)).toEqual(['c', 'a', 'b']);
    expect(place(['a', 'b', 'c'], 'a', 99)).toEqual(['b', 'c', 'a']);
    expect(switchColumn(['a'], 'a')).toEqual(['a']);
  });
  it('read the first field of several', () => expect(valueOf('host', event(1, { 'observer.name': 'fw' }))).toBe('fw'));
  it('are not fooled by names of objects', () => expect(valueOf('constructor', event(1))).toBe(''));
});

describe('a search', () => {
  it('shows what came, how far it looked, and that the limit ended it', async () => {
    const s = new Search(async function* () {
      yield response([event(3), event(2)], { coveredFrom: 2_000 });
      yield response([event(1)]);
      yield response([], { coveredFrom: 500, truncated: true });
    });
    await s.start(asked);
    expect(s.get()).toMatchObject({ status: 'done', covered: 500, truncated: true, table: false, complete: asked });
    expect(s.get().rows.map((e) => e.raw)).toEqual(['line 3', 'line 2', 'line 1']);
  });
  it('keeps what it has when it is cancelled', async () => {
    const s: Search = new Search(async function* (_, signal) {
      yield response([event(1)]);
      s.cancel();
      signal.throwIfAborted();
    });
    await s.start(asked);
    expect(s.get()).toMatchObject({ status: 'cancelled', error: undefined, complete: undefined });
    expect(s.get().rows).toHaveLength(1);
  });
  it('says what went wrong', async () => {
    const s = new Search(async function* () {
      yield response([]);
      throw new Error('gone');
    });
    await s.start(asked);
    expect(s.get()).toMatchObject({ status: 'failed', error: new Error('gone') });
  });
  it('that was overtaken shows nothing any more', async () => {
    let release = () => {};
    const slow = new Promise<void>((r) => (release = r));
    const open: Stream = async function* (a) {
      if (a.text === 'slow') await slow;
      yield response([event(a.text === 'slow' ? 1 : 2)]);
    };
    const s = new Search(open);
    const first = s.start({ ...asked, text: 'slow' });
    await s.start(asked);
    release();
    await first;
    expect(s.get().rows.map((e) => e.raw)).toEqual(['line 2']);
  });
});

describe('live mode', () => {
  it('keeps the newest', () => {
    const r = new Ring<number>(3);
    for (let i = 0; i < 8; i++) r.push(i);
    expect(r.list()).toEqual([5, 6, 7]);
  });
  it('counts what was dropped, is bounded, and stands still while paused', async () => {
    vi.useFakeTimers();
    const gates: (() => void)[] = [];
    const t: Tail = new Tail(async function* (_, __, signal) {
      yield { events: [], dropped: 0n };
      yield { events: Array.from({ length: maxRows + 10 }, (_, i) => event(i)), dropped: 7n };
      await new Promise<void>((r) => gates.push(r));
      yield { events: [event(90_000)], dropped: 1n };
      await new Promise<void>((r) => gates.push(r));
      signal.throwIfAborted();
    });
    const following = t.follow('', []);
    await vi.advanceTimersByTimeAsync(300);
    expect(t.get()).toMatchObject({ status: 'live', seen: maxRows + 10, dropped: 7 });
    expect(t.get().rows).toHaveLength(maxRows);
    expect(t.get().rows[0]!.raw).toBe('line 10');
    t.pause(true);
    gates[0]!();
    await vi.advanceTimersByTimeAsync(300);
    expect(t.get()).toMatchObject({ waiting: 1, dropped: 8 });
    expect(t.get().rows.at(-1)!.raw).toBe(`line ${maxRows + 9}`);
    t.pause(false);
    expect(t.get().waiting).toBe(0);
    expect(t.get().rows.at(-1)!.raw).toBe('line 90000');
    t.close();
    gates[1]!();
    await following;
    vi.useRealTimers();
  });
  it('comes back after the line broke, and gives up on what is refused', async () => {
    let calls = 0;
    const t = new Tail(async function* () {
      if (++calls === 1) return;
      if (calls === 2) throw new Error('broken');
      throw new Error('refused');
      yield { events: [], dropped: 0n };
    });
    await t.follow('', [], async () => {}, (e) => (e as Error).message === 'refused');
    expect(calls).toBe(3);
    expect(t.get()).toMatchObject({ status: 'broken', error: new Error('refused') });
  });
});

describe('an export', () => {
  it('has no formulas', () => {
    expect(csvRow(['=1+1', '+1', '-1', '@x', '\tx', 'a,b', 'say "x"', 'l1\nl2'])).toBe(`"'=1+1","'+1","'-1","'@x","'\tx","a,b","say ""x""","l1\nl2"\r\n`);
  });
  it('names its time range', () => {
    const from = Date.parse('2026-11-22T05:40:31Z');
    expect(fileName({ from, to: undefined }, from + 3_600_000, 'csv')).toBe('vedette-20261122T0540Z-20261122T0640Z.csv');
  });
  it('writes all that streams in', async () => {
    const rows: number[] = [];
    const open: Stream = async function* (a) {
      expect(a.limit).toBe(100_000);
      yield response([event(1, { 'host.name': '=cmd' })]);
      yield response([event(2)], { coveredFrom: 1, truncated: true });
    };
    const out = await collect(asked, 'csv', ['host.name', 'summary'], new AbortController().signal, (n) => rows.push(n), open);
    expect(await out.blob.text()).toBe(`time,host.name,summary\r\n1970-01-01T00:00:01.000Z,"'=cmd",line 1\r\n1970-01-01T00:00:02.000Z,,line 2\r\n`);
    expect(out).toMatchObject({ rows: 2, truncated: true });
    expect(rows).toEqual([1, 2]);
  });
  it('as JSON has every field, and control characters escaped', () => {
    expect(JSON.parse(jsonLine(event(1, { 'user.name': 'a\u001b[31m\n' })))).toEqual({
      'vedette.id': '0-1-0-0-0', 'vedette.tenant': 1, '@timestamp': '1970-01-01T00:00:01.000Z', 'event.original': 'line 1', 'user.name': 'a\u001b[31m\n',
    }); // prettier-ignore
    expect(jsonLine(line({ n: '1' }))).toBe('{"n":"1"}\n');
    expect(jsonLine(event(1, { x: '\n' })).split('\n')).toHaveLength(2);
  });
});

describe('the table of a statistics query', () => {
  it.each([
    [[{ _time: '2026-11-22T05:00:00Z', n: '1' }, { _time: '2026-11-22T05:05:00Z', n: '2' }], 'line', '_time', '', ['n']],
    [[{ _time: '2026-11-22T05:00:00Z', host: 'a', n: '1' }, { _time: '2026-11-22T05:00:00Z', host: 'b', n: '2' }], 'line', '_time', 'host', ['n']],
    [[{ host: 'a', n: '1', avg: '0.5' }, { host: 'b', n: '2', avg: '1' }], 'bar', 'host', '', ['avg', 'n']],
    [[{ 'destination.port': '22', count: '5' }, { 'destination.port': '443', count: '5' }], 'bar', 'destination.port', '', ['count']],
    [[{ n: '1' }], 'none', '', '', ['n']],
    [[{ host: 'a' }, { host: 'b' }], 'none', '', '', []],
  ] as const)('%j is a %s', (rows, kind, along, by, values) => expect(shapeOf(rows.map((r) => line({ ...r } as Record<string, string>)))).toMatchObject({ kind, along, by, values }));

  it('is arranged by time, the largest lines first, missing ones as 0', () => {
    const rows = [['05:05', 'b', '9'], ['05:00', 'a', '1'], ['05:00', 'b', '2']].map(([t, host, n]) => line({ _time: `2026-11-22T${t}:00Z`, host: host!, n: n! }));
    const chart = chartOf(rows, shapeOf(rows), 'line');
    expect(chart.along).toEqual([Date.parse('2026-11-22T05:00:00Z'), Date.parse('2026-11-22T05:05:00Z')]);
    expect(chart.series).toEqual([{ name: 'b', values: [2, 9] }, { name: 'a', values: [1, 0] }]);
  });
  it('says what it leaves out', () => {
    const rows = Array.from({ length: 100 }, (_, i) => line({ host: `h${i}`, n: String(i) }));
    const chart = chartOf(rows, shapeOf(rows), 'bar');
    expect([chart.along.length, chart.left, chart.along[0]]).toEqual([40, 60, 'h99']);
  });
});

describe('searches that are kept', () => {
  const store = () => {
    const map = new Map<string, string>();
    return { getItem: (k: string) => map.get(k) ?? null, setItem: (k: string, v: string) => void map.set(k, v) };
  };
  it('remembers the last fifty, each once, newest first', () => {
    const s = store();
    for (let i = 0; i < 60; i++) remember(`q${i}`, s);
    remember(' q30 ', s);
    remember('*', s);
    expect(history(s)).toHaveLength(maxHistory);
    expect(history(s).slice(0, 3)).toEqual(['q30', 'q59', 'q58']);
    forget(s);
    expect(history(s)).toEqual([]);
  });
  it('saves under a name, and takes it back', () => {
    const s = store();
    const search = { q: 'x', range: '1h', from: '', to: '' };
    save('b', search, s);
    save('a', search, s);
    save('b', { ...search, q: 'y' }, s);
    expect(saved(s).map((v) => [v.name, v.q])).toEqual([['a', 'x'], ['b', 'y']]);
    remove('a', s);
    expect(saved(s)).toHaveLength(1);
  });
  it('does not fall over what others put there', () => {
    const s = store();
    s.setItem('vedette.search.history', '{"a":1');
    s.setItem('vedette.search.saved', '[1,null,{"name":3},{"name":"x","q":7}]');
    expect(history(s)).toEqual([]);
    expect(saved(s)).toEqual([{ name: 'x', q: '', range: '', from: '', to: '' }]);
  });
});
