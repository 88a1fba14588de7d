import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { RuleSchema } from '../gen/vedette/v1/rule_pb';
import { troublesOf } from './health';
import { rowOf, select, sorted } from './rows';

type Init = MessageInitShape<typeof RuleSchema>;
const rule = (r: Init) => create(RuleSchema, { name: r.id ?? '', severity: 'low', language: 'pattern', enabled: true, package: 'vedette/a', tests: { count: 1 }, ...r } as Init);
const rows = [
  rule({ id: 'ssh', severity: 'high', techniques: [{ id: 'T1110.001', name: 'Password Guessing', tactics: ['Credential Access'] }], use: { firesDay: 3n, truePositives: 1n, falsePositives: 3n } }),
  rule({ id: 'dns', language: 'sigma', author: 'Anna', reach: { never: true, missing: [{ field: 'dns.question.name', text: 'no event had dns.question.name' }] } }),
  rule({ id: 'own', tenant: 2, enabled: false, off: 'switched off', package: 'local/own' }),
].map(rowOf);
const shown = (text: string, facets: Parameters<typeof select>[1]['facets'] = {}) => select(rows, { text, facets }).rows.map((r) => r.key).join(' ');

test('rules are found by name, technique and author, and narrowed by facets', () => {
  expect(shown('GUESSING')).toBe('ssh');
  expect(shown('anna dns')).toBe('dns');
  expect(shown('', { lang: ['sigma'], sev: ['low'] })).toBe('dns');
  expect(shown('', { health: ['data'] })).toBe('dns');
  expect(shown('', { state: ['off'] })).toBe('own');
  expect(shown('', { tactic: ['none'] })).toBe('dns own');
});

test('a chosen facet still counts its other values', () => {
  const { counts } = select(rows, { text: '', facets: { lang: ['sigma'] } });
  expect([...counts.lang]).toEqual([['pattern', 2], ['sigma', 1]]);
  expect([...counts.sev]).toEqual([['low', 1]]);
});

test('columns sort, and equal ones stand by name', () => {
  const by = (sort: string) => sorted(rows, sort).map((r) => r.key).join(' ');
  expect(by('name')).toBe('dns own ssh');
  expect(by('-severity')).toBe('ssh dns own');
  expect(by('-false')).toBe('ssh dns own');
  expect(by('-health')).toBe('dns own ssh');
});

test('what is wrong is said, the worst first', () => {
  const texts = (r: Init) => troublesOf(rule(r)).map((t) => `${t.kind}: ${t.short}`);
  expect(texts({ id: 'a' })).toEqual([]);
  expect(texts({ id: 'a', enabled: false, off: 'switched off' })).toEqual([]);
  expect(texts({ id: 'a', enabled: false, off: 'out of fuel' })).toEqual(['suspended: out of fuel']);
  expect(texts({ id: 'a', tests: { count: 0 }, unmapped: ['Sauce'], reach: { never: true, missing: [{ field: 'event.dataset', values: ['aws.cloudtrail'] }, { field: 'event.code', values: ['4662', '1'] }], lists: ['vips'] } })).toEqual([
    'data: no aws.cloudtrail +1', 'list: no list vips', 'unmapped: unmapped: Sauce', 'untested: no tests',
  ]);
});
