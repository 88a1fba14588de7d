import { expect, it } from 'vitest';
import { aroundOf, asJSON, condition, groupFields, listOf, pretty } from './fields';
import { differenceOf, sampleOf, searchAround } from './links';
import { messageOf } from './words';

it('groups by the first word, what people look for first', () => {
  const groups = groupFields({ 'vedette.id': '1', 'zeek.uid': 'x', message: 'm', 'user.name': 'u', 'event.action': 'a', 'event.kind': '["x"]' });
  expect(groups.map((g) => g.title)).toEqual(['event', 'user', 'zeek', 'other', 'vedette']);
  expect(groups[0]!.fields).toEqual([
    { name: 'event.action', value: 'a', list: undefined },
    { name: 'event.kind', value: '["x"]', list: ['x'] },
  ]);
});

it('takes for a list only what is one', () => {
  expect(listOf('["a","b"]')).toEqual(['a', 'b']);
  for (const v of ['[a]', '[1,2]', '{"a":1}', '["a"', '[not json]']) expect(listOf(v)).toBeUndefined();
});

it('writes conditions that no value escapes from', () => {
  expect(condition({ field: 'user.name', value: 'root' })).toBe('user.name:="root"');
  expect(condition({ field: 'user.name', value: 'a" or *:*', exclude: true })).toBe('-user.name:="a\\" or *:*"');
  expect(condition({ field: 'event.type', value: 'denied', one: true })).toBe('event.type:"denied"');
  expect(condition({ field: 'winlog.event_data.Action Name', value: 'x' })).toBe('"winlog.event_data.Action Name":="x"');
});

it('looks around by the host, else by what is nearest to one', () => {
  expect(aroundOf({ 'host.name': 'db1', 'source.ip': '203.0.113.7' })).toEqual({ query: 'host.name:="db1"', what: 'db1' });
  expect(aroundOf({ 'host.name': '["db1","db2"]' }).query).toBe('host.name:"db1"');
  expect(aroundOf({ 'vedette.source': 'syslog 10.1.1.1' }).what).toBe('syslog 10.1.1.1');
  expect(aroundOf({}).query).toBe('*');
  const at = Date.parse('2026-11-22T06:00:00Z');
  expect(searchAround({}, at)).toEqual({ q: '*', from: '2026-11-22T05:45:00.000Z', to: '2026-11-22T06:15:00.000Z' });
});

it('shows fields and records as JSON', () => {
  expect(JSON.parse(asJSON({ b: '["x"]', a: '<script>' }))).toEqual({ a: '<script>', b: ['x'] });
  expect(pretty(' {"a":[1]} ')).toBe('{\n  "a": [\n    1\n  ]\n}');
  expect(pretty('{"a":')).toBeUndefined();
  expect(pretty('Nov 22 sshd')).toBeUndefined();
});

it('says what an event is about', () => {
  const event = (fields: Record<string, string>) => messageOf({ fields, raw: 'the record' });
  expect(event({ message: 'm', 'event.action': 'a' })).toBe('m');
  expect(event({ 'event.action': 'deny', 'destination.ip': '10.0.0.1', 'destination.port': '22' })).toBe('deny · to 10.0.0.1:22');
  expect(event({})).toBe('the record');
});

it('cuts a sample that an address cannot carry', () => {
  expect(sampleOf('x'.repeat(70_000)).length).toBe(4_000);
});

it('an event of a configuration leads to its difference', () => {
  const fields = { 'event.dataset': 'vedette.config', 'event.action': 'config_changed', 'host.name': 'fw1', 'file.name': 'running', 'file.hash.sha256': 'b', 'file.previous.hash.sha256': 'a' };
  expect(differenceOf(3, fields)).toEqual({ of: '3', device: 'fw1', name: 'running', to: 'sha256:b', from: 'sha256:a' });
  expect(differenceOf(3, { ...fields, 'event.action': 'config_unsaved' })).toMatchObject({ to: 'sha256:a', from: 'sha256:b' });
  expect(differenceOf(3, { ...fields, 'file.previous.hash.sha256': '' })).toEqual({ of: '3', device: 'fw1', name: 'running', to: 'sha256:b' });
  expect(differenceOf(3, { 'event.dataset': 'other', 'host.name': 'fw1' })).toBeUndefined();
});
