import { expect, it } from 'vitest';
import { authority, endpointOf, isLoopback, powershellQuoted, shellQuoted } from './shell';
import { pointsOf } from './Sparkline';

it('makes one word of any text', () => {
  expect(shellQuoted('a-b.c:1')).toBe('a-b.c:1');
  expect(shellQuoted("$(rm -rf ~) 'x'")).toBe("'$(rm -rf ~) '\\''x'\\'''");
  expect(shellQuoted('')).toBe("''");
  expect(shellQuoted("\u001b[201~; rm 'x'\\")).toBe("$'\\u001b[201~; rm \\'x\\'\\\\'");
  expect(powershellQuoted('a’b')).toBe("'a’’b'");
});

it.each([
  ['0.0.0.0:5514', 'siem:5514'],
  [':5514', 'siem:5514'],
  ['[::]:5514', 'siem:5514'],
  ['[2001:db8::1]:5514', '[2001:db8::1]:5514'],
  ['10.0.0.1:8080/v1/ingest', '10.0.0.1:8080'],
])('%s is reached at %s', (address, want) => expect(authority(endpointOf(address, 'siem'))).toBe(want));

it('knows addresses of this machine only', () => {
  expect(['127.0.0.1', '::1', 'localhost', '10.0.0.1'].map(isLoopback)).toEqual([true, true, true, false]);
});

it('draws a line from the oldest to the newest', () => {
  expect(pointsOf([], 10, 10)).toBe('');
  expect(pointsOf([0, 4], 10, 10)).toBe('0.0,9.0 10.0,1.0');
  expect(pointsOf([0, 0], 10, 10)).toBe('0.0,9.0 10.0,9.0');
});
