import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { EvidenceSchema, GetIncidentResponseSchema, HistoryEntrySchema, IncidentSchema, RelatedIncidentSchema } from '../gen/vedette/v1/incident_pb';
import { duration } from '../ui/age';
import { webLink } from '../ui/link';
import { doneOf, tick } from './checklist';
import { measureOf, milliseconds } from './condition';
import { aboutOf, keyOf, namedOf, othersOf } from './entities';
import { commandFor } from './export';
import { graphOf } from './graph';
import { headlineParts } from './headline';
import { deed, timelineOf } from './timeline';
import { beingStored } from './useIncidentPage';

const titles = new Map([['fail', 'a failed login'], ['ok', 'a successful login'], ['evil', '\u001b[2Jx']]);
const measure = (expr: string, actual: string, threshold: string) => measureOf({ expr, actual, threshold }, titles);

describe('measureOf', () => {
  it.each([
    ['count() >= 10 within 10m0s', '14', '10', '14', '≥', '10', 'events within 10 m'],
    ['distinct(user.name) >= 10 within 5m0s', '12345', '10', '12,345', '≥', '10', 'different values of user.name within 5 m'],
    ['sum(source.bytes) > 1e+06 within 1h0m0s', '2000000', '1e+06', '2,000,000', '>', '1,000,000', 'sum of source.bytes within 1 h'],
    ['count() >= 20 within 1m0s', '64+', '20', '64 or more', '≥', '20', 'events within 1 m'],
    ['fail -> ok within 10m0s', '1.5s', '10m0s', '1.5 s', '≤', '10 m', 'after a failed login'],
    ['fail !-> ok within 5m0s', 'none', '5m0s', 'none', '', '', 'within 5 m after a failed login'],
    ['percentile(event.duration, 95) > 250 in 5m0s', '312.5', '250', '312.5', '>', '250', '95 % of values of event.duration are at or below it in 5 m'],
    ['avg(host.cpu) >= 0.9 in a session of 1h0m0s at most, with gaps up to 5m0s', '0.95', '0.9', '0.95', '≥', '0.9', 'average of host.cpu in a session without a gap of more than 5 m'],
    ['count() > ((3 * stat.std) + stat.mean) in 1h0m0s', '90', '41.5', '90', '>', '41.5', 'events in 1 h; the threshold is (3 * std) + mean of what was learnt'],
    ['distinct(user.name) >= 2000 within 1h0m0s (approximate)', '2031', '2000', '2,031', '≥', '2,000', 'different values of user.name within 1 h, approximately'],
    ['fail and ok within 10m0s', '4s', '10m0s', '4 s', '≤', '10 m', 'from first to last of a failed login and a successful login'],
    ['fail and not ok within 5m0s', 'none', '5m0s', 'none', '', '', 'within 5 m before and after a failed login'],
    ['fail and not before ok within 5m0s', 'none', '5m0s', 'none', '', '', 'within 5 m before a failed login'],
    ['first seen source.geo.country_iso_code within 720h0m0s', 'NZ', 'new', 'NZ', '', '', 'not seen in source.geo.country_iso_code for 30 d'],
    ['something new', '1', '2', '1', '/', '2', 'something new'],
  ])('%s', (expr, actual, threshold, shown, sign, against, what) => {
    expect(measure(expr, actual, threshold)).toMatchObject({ actual: shown, sign, threshold: against, what });
  });
  it('draws a bar only of what can be drawn', () => {
    expect(measure('count() >= 10 within 1m0s', '20', '10').bar).toEqual({ actual: 1, threshold: 0.5 });
    expect(measure('fail -> ok within 10m0s', '60s', '10m0s').bar).toEqual({ actual: 0.1, threshold: 1 });
    for (const actual of ['NaN', '', 'x', '-3']) expect(measure('count() >= 10 within 1m0s', actual, '10').bar).toBeUndefined();
  });
  it('lets no control character through', () => {
    expect(measure('evil -> ok within 1m0s', '1s', '1m0s').what).toBe('after ‹ESC›[2Jx');
    expect(measure('\u202egnorw', '\u0007', '').what).toContain('U+202E');
  });
});

it('reads durations as Go writes them', () => {
  expect(['10m0s', '1h0m0s', '1.5s', '250ms', '3µs', '1h2m3.5s'].map(milliseconds)).toEqual([600_000, 3_600_000, 1_500, 250, 0.003, 3_723_500]);
  for (const text of ['', 'none', '5', '10 m', 'ms']) expect(milliseconds(text)).toBeNaN();
  expect([0, 250, 1_500, 60_000, 63_000, 90_061_000].map(duration)).toEqual(['0 s', '250 ms', '1.5 s', '1 m', '1 m 3 s', '1 d 1 h']);
});

describe('headlineParts', () => {
  const text = (h: string) => headlineParts(h).map((p) => p.text).join('|'); // prettier-ignore
  it('keeps moments in one piece', () => {
    expect(headlineParts('root logged in, at 2026-11-22 06:06:43 UTC, 3 times since 2026-11-22 06:00:00 UTC')).toEqual([
      { text: 'root logged in, at ', at: 0 },
      { text: '2026-11-22 06:06:43 UTC', at: Date.parse('2026-11-22T06:06:43Z') },
      { text: ', 3 times since ', at: 0 },
      { text: '2026-11-22 06:00:00 UTC', at: Date.parse('2026-11-22T06:00:00Z') },
    ]);
  });
  it('takes hostile text for text', () => {
    expect(text('<img src=x onerror=alert(1)> logged in')).toBe('<img src=x onerror=alert(1)> logged in');
    expect(text('\u001b]8;;http://evil\u0007x\u202e\u0000')).toBe('‹ESC›]8;;http://evil‹BEL›x‹U+202E›‹NUL›');
    expect(headlineParts('at 9999-99-99 99:99:99 UTC').every((p) => p.at === 0)).toBe(true);
    expect(headlineParts('')).toEqual([]);
  });
});

it('links only to plain web addresses', () => {
  expect(webLink('https://attack.mitre.org/techniques/T1110/001/')).toBe('https://attack.mitre.org/techniques/T1110/001/');
  for (const text of ['javascript:alert(1)', ' JAVASCRIPT:alert(1)', 'data:text/html,x', '//evil.example', 'ftp://x', 'https://a@evil.example', 'T1110', '']) {
    expect(webLink(text)).toBeUndefined();
  }
});

it('ticks steps, per incident, and keeps the last incidents', () => {
  const kept = new Map<string, string>();
  const storage = { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v) };
  tick(storage, 'a', 'call them', true);
  expect([...tick(storage, 'a', 'block it', true)]).toEqual(['call them', 'block it']);
  expect([...tick(storage, 'a', 'call them', false)]).toEqual(['block it']);
  expect(doneOf(storage, 'b').size).toBe(0);
  for (let i = 0; i < 200; i++) tick(storage, `i${i}`, 'x', true);
  expect(doneOf(storage, 'a').size).toBe(0);
  expect(doneOf(storage, 'i199').has('x')).toBe(true);
  kept.set('vedette.checklists', '{"not": "a list"');
  expect(doneOf(storage, 'i199').size).toBe(0);
});

it('puts what happened in order, runs of evidence together', () => {
  const seen = (sub: string, eventId: string, ms: number) => create(EvidenceSchema, { sub, eventId, time: timestampFromMs(ms) });
  const did = (what: string, ms: number, seq: bigint) => create(HistoryEntrySchema, { what, who: 'eva', at: timestampFromMs(ms), seq });
  const entries = timelineOf([seen('fail', '1', 10), seen('fail', '2', 20), seen('ok', '3', 30), seen('fail', '4', 50)], [did('commented', 40, 2n), did('opened', 30, 1n)]);
  expect(entries.map((e) => [e.lane, e.from, e.to, e.ids.length])).toEqual([
    ['evidence', 10, 20, 2], ['evidence', 30, 30, 1], ['action', 30, 30, 0], ['note', 40, 40, 0], ['evidence', 50, 50, 1],
  ]); // prettier-ignore
  expect(deed('resolved', 'false_positive')).toBe('resolved it as false positive');
  expect(deed('assigned', '')).toBe('assigned it to nobody');
  expect(deed('invented', 'x')).toBe('invented');
});

it('finds the other incidents of each entity', () => {
  const ip = { kind: 'address', value: '203.0.113.7', field: 'source.ip' };
  const user = { kind: 'user', value: 'root', field: 'user.name' };
  const incident = create(IncidentSchema, { id: 'self', entities: [ip, user, { ...user, field: 'user.target.name' }] });
  const about = aboutOf(incident);
  expect(about.map((e) => e.kind)).toEqual(['user', 'address']);
  expect(namedOf([{ kind: 'hash', value: 'x', field: 'f' }, ...about], 1)).toEqual([about[0]]);
  const related = [create(RelatedIncidentSchema, { incident: { id: 'other', title: 'Other', severity: 'low' }, shared: [ip, { ...ip, field: 'client.ip' }] })];
  expect(othersOf(related).get(keyOf(ip))).toHaveLength(1);
  const graph = graphOf({ id: 'self', title: 'Self', severity: 'high' }, about, related);
  expect(graph.nodes.map((n) => n.kind)).toEqual(['self', 'entity', 'entity', 'incident']);
  expect(graph.edges).toContainEqual({ source: keyOf(ip), target: 'other' });
  expect(graph.edges).toHaveLength(3);
});

it('names the command that checks it', () => {
  expect(commandFor('645bc7ce', 'https://siem.example:8443')).toBe('vedette replay --incident 645bc7ce --server https://siem.example:8443');
});

describe('beingStored', () => {
  const incident = (events: number, total: number) =>
    create(GetIncidentResponseSchema, {
      incident: { updatedAt: timestampFromMs(1_000) },
      explanation: { parts: [{ events: Array.from({ length: events }, (_, i) => ({ id: `${i}` })), total }] },
    });
  it.each([
    [0, 14, 2_000, true],
    [5, 14, 2_000, true],
    [14, 14, 2_000, false],
    [100, 250, 2_000, false], // no more are sent along
    [0, 14, 60_000, false], // they are no longer there
  ])('%i of %i events at %i ms: %s', (events, total, now, want) => expect(beingStored(incident(events, total), now)).toBe(want));
  it('is not so before anything is known', () => expect(beingStored(undefined, 0)).toBe(false));
});
