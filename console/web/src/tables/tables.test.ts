import { expect, test } from 'vitest';
import { spanOf } from './Ask';
import { allRows, asCSV, asJSONL } from './download';
import { counted, formatOf, kindOf, left, nameOf } from './words';

test('how an upload is written is guessed', () => {
  expect(formatOf('x.CSV', 'a')).toBe('csv');
  expect(formatOf('x.ndjson', '')).toBe('jsonl');
  expect(formatOf('', '# ours\n\nevil.example\n')).toBe('list');
  expect(formatOf('', 'a,b\n1,2')).toBe('csv');
  expect(formatOf('feed.txt', '{"a":1}')).toBe('jsonl');
});

test('how keys are compared is guessed', () => {
  expect(kindOf(['10.0.0.0/8', '::1', '2001:db8::/32'])).toBe('cidr');
  expect(kindOf(['evil.example', '*.bad.example.'])).toBe('domain');
  expect(kindOf(['host-1', '10.0.0.1'])).toBe('exact');
  expect(kindOf([])).toBe('exact');
});

test('a file names its table', () => expect(nameOf('Bad Domains (2026).csv')).toBe('bad-domains-2026'));

test('a download is exact, or safe in a spreadsheet', () => {
  const rows = [['=1+1', 'a,b'], ['x', '"']];
  expect(asCSV(['k', 'v'], rows)).toBe('k,v\n"\'=1+1","a,b"\nx,""""\n');
  expect(asJSONL(['k', 'v'], rows)).toBe('{"k":"=1+1","v":"a,b"}\n{"k":"x","v":"\\""}\n');
});

test('a table that changes while it is read is read anew', async () => {
  const page = (n: number) => Array.from({ length: n }, (_, i) => ({ cells: [String(i)] }));
  const answers = [
    { table: { digest: 'one' }, rows: page(1_000) },
    { table: { digest: 'two' }, rows: page(5) },
    { table: { digest: 'two' }, rows: page(1_000) },
    { table: { digest: 'two' }, rows: page(7) },
  ];
  const rows = await allRows({ name: 't', tenant: 1, rows: 0n, digest: '' }, async () => answers.shift()!);
  expect(rows).toHaveLength(1_007);
});

test('indicators are counted in words', () => {
  expect(counted({ ip: 1n, domain: 1200n, email: 0n })).toBe('1 address, 1,200 domains');
  expect(counted({})).toBe('');
});

test('how long a value still counts', () => {
  expect(left(10, 20)).toBe('ended');
  expect(left(30_000, 0)).toBe('less than a minute');
  expect(left(90_061_000, 0)).toBe('1 d 1 h more');
});

test('spans of time are read', () => {
  expect([spanOf(''), spanOf('90m'), spanOf('36 h'), spanOf('7d')]).toEqual([undefined, 5_400, 129_600, 604_800]);
  expect(() => spanOf('soon')).toThrow('no span of time');
});
