import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { EventSchema } from '../gen/vedette/v1/event_pb';
import { BlessedConfigSchema, ConfigVersionSchema, DeviceSchema, MonitorSchema, WatchEntrySchema, WatchSchema } from '../gen/vedette/v1/monitor_pb';
import { commandsOf, draftOf, portsOf, problemsOf, requestOf } from './draft';
import { parseSpan, span } from './duration';
import { fits } from './fits';
import { bucketsOf, percent, queryOf, shareOf } from './history';
import { textOfRecord } from './records';
import { devicesOf, matesOf, rowOf, select, sorted } from './rows';
import { fieldsOf, parse, stringify, textOf, valueOf } from './schema';
import { choose, textsOf } from './texts';

const entry = (id: string, state: object, watch: object = {}) =>
  rowOf(create(WatchEntrySchema, { watch: { tenant: 1, id, module: 'vedette/ping', targets: [{ name: 'target', device: 'sw' }], ...watch }, state: { runs: true, ...state } }));

test('spans of time are read and written as people do', () => {
  for (const [text, ms] of [['', 0], ['30', 30_000], ['1m 30s', 90_000], ['1h30m', 5_400_000], ['250ms', 250], ['1.5h', 5_400_000], ['soon', undefined], ['5 minutes', undefined]] as const) expect(parseSpan(text), text).toBe(ms);
  expect([250, 30_000, 90_000, 3_600_000, 90_061_000].map(span)).toEqual(['250 ms', '30 s', '1 m 30 s', '1 h', '1 d 1 h']);
});

test('watches say how they are doing, the worst first', () => {
  const rows = [entry('ok', { polls: 2n }), entry('off', {}, { off: true }), entry('new', {}), entry('bad', { polls: 3n, streak: 2n, error: 'no route' }), entry('idle', { runs: false, error: 'old' })];
  expect(sorted(rows, 'state').map((r) => `${r.id} ${r.health} ${r.error}`.trim())).toEqual(['bad failing no route', 'idle idle', 'new waiting', 'ok ok', 'off off']);
  expect(matesOf(rows[0]!, rows)).toHaveLength(4);
  expect(matesOf(rows[0]!, [entry('other', {}, { tenant: 2 }), entry('another', {}, { module: 'vedette/tcpcheck' })])).toEqual([]);
  expect(select(rows, { show: 'failing', text: '' }).map((r) => r.id)).toEqual(['bad']);
  expect(select(rows, { show: '', text: 'PING' })).toHaveLength(5);
});

test('a device is as well as the worst of its watches', () => {
  const at = (seconds: bigint) => ({ seconds, nanos: 0 });
  const watches = [entry('a', { polls: 1n, lastGood: at(10n), next: at(90n) }), entry('b', { polls: 1n, streak: 1n, error: 'refused', lastGood: at(5n), next: at(80n) })];
  const [sw, other] = devicesOf([create(DeviceSchema, { tenant: 1, name: 'sw' }), create(DeviceSchema, { tenant: 2, name: 'sw' })], watches);
  expect(sw).toMatchObject({ health: 'failing', good: 10_000, next: 80_000, error: 'refused' });
  expect(other).toMatchObject({ health: undefined, good: 0, next: 0, error: '' });
});

test('a schema becomes a form, and the form JSON again', () => {
  const fields = fieldsOf(JSON.stringify({ type: 'object', required: ['path'], properties: { path: { type: 'string', default: '/' }, n: { type: 'integer' }, on: { type: 'boolean' }, how: { enum: ['a', 'b'] }, files: { type: 'array', items: { type: 'string' } }, odd: { type: 'object' } } }));
  expect(fields.map((f) => `${f.name} ${f.kind} ${f.required}`)).toEqual(['path text true', 'n integer false', 'on switch false', 'how choice false', 'files list false', 'odd json false']);
  const [path, n, , , files, odd] = fields;
  expect([valueOf(path!, ''), valueOf(n!, '7'), valueOf(n!, 'x'), valueOf(files!, 'a\n\n b'), valueOf(odd!, '{"x":1}'), valueOf(odd!, '{')]).toEqual([undefined, 7, 'x', ['a', 'b'], { x: 1 }, '{']);
  expect(textOf(files!, ['a', 'b'])).toBe('a\nb');
  expect(stringify({ a: undefined, b: false })).toBe('{"b":false}');
  expect(stringify({ a: undefined })).toBe('');
  expect([parse('{"a":1}'), parse('[]'), parse('{')]).toEqual([{ a: 1 }, {}, {}]);
  expect(fieldsOf('nonsense')).toEqual([]);
});

test('what a watch may reach is sent anew only when it is different', () => {
  const w = create(WatchSchema, { tenant: 1, id: 'fw', module: 'vedette/sshconfig', intervalMs: 60_000n, targets: [{ name: 'device', device: 'fw', commands: [{ id: 'running', run: 'show {x}', args: [{ name: 'x', pattern: 'a' }] }] }] });
  const d = draftOf(w);
  expect(d).toMatchObject({ interval: '1 m', device: 'fw', commands: 'running: show {x}' });
  expect(requestOf({ ...d, interval: '5m' }, w)).toMatchObject({ watch: { intervalMs: 300_000n, targets: [{ device: 'fw' }] } });
  const anew = requestOf({ ...d, commands: 'running: show {x}\nstartup: show startup' }, w);
  expect(anew.watch.targets).toEqual([]);
  expect(anew).toMatchObject({ device: 'fw', commands: [{ id: 'running', args: [{ name: 'x' }] }, { id: 'startup', run: 'show startup', args: [] }] });
  expect(problemsOf({ ...d, interval: 'soon', id: 'a b', commands: 'x' })).toMatchObject({ interval: /30s/, id: /blanks/, commands: /colon/ });
  expect([portsOf('80, 443'), portsOf(''), portsOf('0'), portsOf('a')]).toEqual([[80, 443], [], undefined, undefined]);
  expect(commandsOf('a: b: c\n')).toEqual([{ id: 'a', run: 'b: c' }]);
});

test('history has a bucket for each step, with what went well and what did not', () => {
  const line = (at: string, outcome: string, events: string, took: string) => create(EventSchema, { fields: { _time: at, 'event.outcome': outcome, events, took } });
  const now = Date.parse('2026-01-01T00:05:30Z');
  const b = bucketsOf([line('2026-01-01T00:05:00Z', 'success', '3', '2000000'), line('2026-01-01T00:05:00Z', 'failure', '1', ''), line('2026-01-01T00:03:00Z', 'failure', '2', ''), line('2025-12-31T00:00:00Z', 'failure', '9', '')], now, { ms: 180_000, step: 60 });
  expect(b.map((x) => [x.good, x.bad, x.took])).toEqual([[0, 2, undefined], [0, 0, undefined], [3, 1, 2]]);
  expect(shareOf(b)).toBe(0.5);
  expect(shareOf([])).toBeUndefined();
  expect([1, 0.99999, 0.5].map(percent)).toEqual(['100 %', '99.99 %', '50.0 %']);
  expect(queryOf({ id: 'a"b', module: 'vedette/ping', targets: [create(WatchSchema, { targets: [{ name: 't', device: 'my sw' }] }).targets[0]!] }, 60)).toContain('vedette.source:="monitor:ping my_sw" (!event.action:=poll_failed or labels.watch:="a\\"b")');
});

test('records of a trial are read as flat fields, or as what they are', () => {
  const read = (text: string) => textOfRecord(new TextEncoder().encode(text));
  expect(read('{"message":"m","event":{"kind":"metric","category":["a","b"]}}')).toMatchObject({ message: 'm', fields: [['event.kind', 'metric'], ['event.category', 'a, b']] });
  expect(read('plain')).toMatchObject({ message: '', fields: [], text: 'plain' });
});

test('texts that deviate come first', () => {
  const version = (device: string, digest: string, seconds: bigint) => create(ConfigVersionSchema, { tenant: 1, device, name: 'running', digest, at: { seconds, nanos: 0 } });
  const rows = textsOf([version('a', 'x', 3n), version('b', 'y', 2n), version('c', 'z', 1n)], [create(BlessedConfigSchema, { tenant: 1, device: 'b', name: 'running', digest: 'y' }), create(BlessedConfigSchema, { tenant: 1, device: 'c', name: 'running', digest: 'other' })]);
  expect(rows.map((r) => `${r.version.device} ${r.standing}`)).toEqual(['c deviates', 'a undeclared', 'b right']);
});

test('an address names two texts', () => {
  const v = (name: string, digest: string) => create(ConfigVersionSchema, { name, digest });
  const all = [v('running', 'd3'), v('startup', 's1'), v('running', 'd2'), v('running', 'd3')];
  expect(choose(all, 'running', '', '')).toMatchObject({ to: all[0], from: 'd2', fromName: '', before: all[2] });
  expect(choose(all, 'running', 'd2', '')).toMatchObject({ to: all[2], from: 'd3' });
  expect(choose(all, 'running', '', 'blessed')).toMatchObject({ from: 'blessed', fromName: '' });
  expect(choose(all, 'running', '', '@startup')).toMatchObject({ from: '', fromName: 'startup' });
  expect(choose(all, 'running', 'd3', 's1')).toMatchObject({ from: 's1', fromName: 'startup' });
  expect(choose([v('running', 'd1')], 'running', '', '').before).toBeUndefined();
});

test('a device is asked only as it can be', () => {
  const m = create(MonitorSchema, { targets: [{ name: 'device', capabilities: ['vedette_ssh_v1', 'vedette_config_v1'] }] });
  expect(fits(m, create(DeviceSchema, { ssh: {} }))).toBe(true);
  expect(fits(m, create(DeviceSchema, { http: {} }))).toBe(false);
});
