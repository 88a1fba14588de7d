import { describe, expect, it } from 'vitest';
import { dayAndTime, duration, inWords, parseTime, rangeOf, stamp, whole } from './time';

const now = Date.parse('2026-11-22T06:40:31.250Z');
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());

describe('what is typed', () => {
  it.each([
    ['2026-11-22 05:40:31', 'UTC', '2026-11-22T05:40:31.000Z'],
    ['2026-11-22 5:40', 'UTC', '2026-11-22T05:40:00.000Z'],
    ['2026-11-22T05:40', 'Europe/Vienna', '2026-11-22T04:40:00.000Z'],
    ['2026-07-01', 'Europe/Vienna', '2026-06-30T22:00:00.000Z'],
    ['2026-07-01 12:00', 'Asia/Kolkata', '2026-07-01T06:30:00.000Z'],
    ['2026-07-01 12:00', 'America/St_Johns', '2026-07-01T14:30:00.000Z'],
    ['05:40', 'UTC', '2026-11-22T05:40:00.000Z'],
    ['01:00', 'Pacific/Auckland', '2026-11-21T12:00:00.000Z'], // it is the evening of the 22nd there
    ['2026-11-22T05:40:31.5+02:00', 'Asia/Tokyo', '2026-11-22T03:40:31.500Z'],
    ['now', 'UTC', '2026-11-22T06:40:31.250Z'],
    ['-15m', 'UTC', '2026-11-22T06:25:31.250Z'],
    // Clocks of Vienna go from 2:00 to 3:00 on 29 March, and from 3:00 back to 2:00 on 25 October.
    ['2026-03-29 01:59:59', 'Europe/Vienna', '2026-03-29T00:59:59.000Z'],
    ['2026-03-29 02:30', 'Europe/Vienna', '2026-03-29T01:30:00.000Z'], // shown as 3:30
    ['2026-03-29 03:00', 'Europe/Vienna', '2026-03-29T01:00:00.000Z'],
    ['2026-10-25 01:59', 'Europe/Vienna', '2026-10-24T23:59:00.000Z'],
    ['2026-10-25 02:30', 'Europe/Vienna', '2026-10-25T00:30:00.000Z'], // the first of two
    ['2026-10-25 03:00', 'Europe/Vienna', '2026-10-25T02:00:00.000Z'],
    ['2026-03-08 02:30', 'America/New_York', '2026-03-08T07:30:00.000Z'],
    ['2026-11-01 01:30', 'America/New_York', '2026-11-01T05:30:00.000Z'],
  ])('%s in %s', (text, zone, want) => expect(iso(parseTime(text, zone, now))).toBe(want));

  it.each(['', 'x', '2026-02-30', '2026-13-01', '25:00', '12:60', '15', '-0m'])('%j is no time', (text) =>
    expect(parseTime(text, 'UTC', now)).toBeUndefined());

  it.each(['2026-03-29T01:00:00Z', '2026-10-25T01:00:00Z'])('comes back as it was shown on the days around the change of %s', (change) => {
    const hour = 3_600_000;
    for (let t = Date.parse(change) - 50 * hour; t < Date.parse(change) + 50 * hour; t += hour / 4) {
      const text = stamp(t, 'Europe/Vienna');
      const back = parseTime(text, 'Europe/Vienna', now)!;
      // The second of two equal times is taken for the first.
      expect([text, [0, hour].includes(t - back), stamp(back, 'Europe/Vienna')]).toEqual([text, true, text]);
    }
  });
});

describe('ranges', () => {
  it.each([
    [{ range: '15m', from: '', to: '' }, '2026-11-22T06:25:31.250Z', undefined],
    [{ range: 'nonsense', from: '', to: '' }, '2026-11-22T05:40:31.250Z', undefined],
    [{ range: '15m', from: '2026-11-22T01:00:00Z', to: '' }, '2026-11-22T01:00:00.000Z', undefined],
    [{ range: '', from: '2026-11-22T01:00:00Z', to: '2026-11-22T02:00:00Z' }, '2026-11-22T01:00:00.000Z', '2026-11-22T02:00:00.000Z'],
    [{ range: '', from: '2026-11-22T01:00:00Z', to: '2026-11-22T00:00:00Z' }, '2026-11-22T01:00:00.000Z', undefined],
  ])('%o', (p, from, to) => expect([iso(rangeOf(p, now).from), iso(rangeOf(p, now).to)]).toEqual([from, to]));

  it('durations', () => expect(['5m', '24h', '7d', '0m', '5', 'm'].map(duration)).toEqual([300_000, 86_400_000, 604_800_000, undefined, undefined, undefined]));
  it('words', () => expect(['15m', '1h', '7d'].map(inWords)).toEqual(['Last 15 minutes', 'Last hour', 'Last 7 days']));
});

describe('what is shown', () => {
  it('has the zone', () => {
    expect(whole(now, 'UTC')).toBe('2026-11-22 06:40:31.250 UTC');
    expect(whole(now, 'Asia/Kolkata')).toBe('2026-11-22 12:10:31.250 UTC+5:30');
    expect(dayAndTime(now, 'Europe/Vienna')).toBe('11-22 07:40:31.250');
  });
  it('does not fall over a zone that is none', () => expect(stamp(now, 'Mars/Base')).toBe('2026-11-22 06:40:31'));
});
