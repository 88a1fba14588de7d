import { expect, test } from 'vitest';
import { allRows, asCSV, asJSONL } from './download';
import { formatOf, kindOf, nameOf } from './words';

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
