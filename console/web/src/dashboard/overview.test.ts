import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { GetOverviewResponseSchema } from '../gen/vedette/v1/dashboard_pb';
import { codeOf, numeric, places, points, queryOf } from './countries';
import { bySeverity, byRule, rates, topOf } from './overview';

const from = Date.parse('2026-11-22T06:00:00Z');
const overview = create(GetOverviewResponseSchema, {
  from: timestampFromMs(from),
  to: timestampFromMs(from + 120_000),
  since: timestampFromMs(from + 10_000),
  events: [0n, 100n, 50n, 7n],
  unparsed: [0n, 10n, 0n, 7n],
  incidentsBySeverity: [{ name: 'high', values: [1n, 2n] }, { name: 'low', values: [0n, 3n] }],
  incidentsByRule: Array.from({ length: 9 }, (_, i) => ({ name: `r${i}`, values: [BigInt(i), 1n] })),
  tops: [{ field: 'user.name', values: [{ value: 'root', count: 5n, tenant: 2 }, { value: 'ada', count: 3n, tenant: 1 }] }],
}); // prettier-ignore

describe('the overview', () => {
  it('has a series for each severity, the worst first', () => {
    const { times, series } = bySeverity(overview);
    expect(times).toEqual([from / 1_000, from / 1_000 + 60]);
    expect(series.map((s) => [s.name, s.values, s.sum])).toEqual([
      ['critical', [0, 0], 0], ['high', [1, 2], 3], ['medium', [0, 0], 0], ['low', [0, 3], 3], ['informational', [0, 0], 0],
    ]); // prettier-ignore
  });
  it('gathers the rules that are seldom', () => {
    const { series } = byRule(overview, (r) => r.toUpperCase());
    expect(series.map((s) => s.label)).toEqual(['R8', 'R7', 'R6', 'R5', 'R4', 'R3', '3 other rules']);
    expect(series.at(-1)!.values).toEqual([0 + 1 + 2, 3]);
  });
  it('shows rates without the bucket that is being filled, and nothing from before it began', () => {
    const { series } = rates(overview);
    expect(series.map((s) => s.values)).toEqual([[null, 9, 5], [null, 1, 0]]);
  });
  it('lists the most frequent', () => {
    expect(topOf(overview, 'user.name', 1)).toEqual([{ value: 'root', count: 5, tenant: 2 }]);
    expect(topOf(overview, 'host.name', 5)).toEqual([]);
  });
  it('of nothing is empty', () => {
    const none = create(GetOverviewResponseSchema, {});
    expect([bySeverity(none).times, byRule(none, String).series, rates(none).times]).toEqual([[], [], []]);
  });
});

describe('countries', () => {
  it.each([
    ['NL', 'NL'], ['nl', 'NL'], ['UK', 'GB'], ['Netherlands', 'NL'], ['Viet Nam', 'VN'], ['Vietnam', 'VN'], ['United States', 'US'], ['United States of America', 'US'],
    ['Russian Federation', 'RU'], ['Korea, Republic of', 'KR'], ["Côte d'Ivoire", 'CI'], ['Türkiye', 'TR'], ['Turkey', 'TR'], ['Czech Republic', 'CZ'], ['Hong Kong', 'HK'],
    ['Singapore', 'SG'], ['Iran, Islamic Republic of', 'IR'], ['Bosnia and Herzegovina', 'BA'], ['Reserved', undefined], ['', undefined], ['XX', undefined], ['constructor', undefined],
  ])('%s is %s', (text, code) => expect(codeOf(text)).toBe(code)); // prettier-ignore
  it('have one code each', () => {
    expect(new Set(numeric.values()).size).toBe(numeric.size);
    for (const code of numeric.keys()) expect(codeOf(new Intl.DisplayNames('en', { type: 'region' }).of(code)!)).toBe(code);
    expect(Object.keys(points).filter((c) => numeric.has(c))).toEqual([]);
  });
  it('are added up, and found again in any of the fields', () => {
    const list = places([{ country: 'Viet Nam', count: 2n }, { country: 'VN', count: 3n }, { country: 'Mars', count: 1n }]); // prettier-ignore
    expect(list.map((p) => [p.code, p.count])).toEqual([['VN', 5], ['Mars', 1]]); // prettier-ignore
    expect(queryOf(list[0]!)).toBe('(source.geo.country_name:="Viet Nam" or fortinet.firewall.srccountry:="Viet Nam" or source.geo.country_iso_code:="VN")');
  });
});
