import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { SourceSchema } from '../gen/vedette/v1/health_pb';
import { Rates } from './rates';
import { rowOf, select, share, sorted } from './rows';

const source = (peer: string, more: object = {}) => rowOf(create(SourceSchema, { tenant: 1, listener: 'syslog-udp:5514', peer, ...more }));
const rows = [
  source('10.0.0.1', { recordsPerSecond: 5, processed: 10n, unparsed: 1n, parser: 'vedette/fortigate' }),
  source('10.0.0.2', { recordsPerSecond: 9, processed: 4n, silentIncident: 'INC-1' }),
  source('10.0.0.3', { tenant: 2 }),
];
const peers = (r: readonly { peer: string }[]) => r.map((x) => x.peer.slice(-1)).join('');

describe('sources', () => {
  it('are chosen by state, text and organization', () => {
    const all = { show: 'all', text: '', tenants: [] } as const;
    expect(peers(select(rows, all))).toBe('123');
    expect(peers(select(rows, { ...all, show: 'silent' }))).toBe('2');
    expect(peers(select(rows, { ...all, show: 'unparsed' }))).toBe('1');
    expect(peers(select(rows, { ...all, text: ' FORTI ' }))).toBe('1');
    expect(peers(select(rows, { ...all, tenants: [2] }))).toBe('3');
  });
  it('are ordered by a column', () => {
    expect(peers(sorted(rows, '-rate'))).toBe('213');
    expect(peers(sorted(rows, 'unparsed'))).toBe('321');
    expect(peers(sorted(rows, '-peer'))).toBe('321');
  });
  it('say how much nobody read', () => {
    expect([undefined, 0, 0.001, 0.12, 0.999, 1].map(share)).toEqual(['–', '0 %', '<1 %', '12 %', '99 %', '100 %']);
  });
});

it('rates are remembered for a minute, and forgotten with their source', () => {
  const rates = new Rates();
  for (let i = 0; i < 70; i++) rates.note(new Map([['a', i]]));
  expect(rates.of('a')).toHaveLength(60);
  expect(rates.of('a').at(-1)).toBe(69);
  rates.note(new Map([['b', 1]]));
  expect(rates.of('a')).toEqual([]);
});
