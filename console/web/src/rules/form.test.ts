import { expect, test } from 'vitest';
import { clean, type FormValue, learntKey, renamed, testOf, withPart, without, withTest } from './form';

const form: FormValue = { id: 'a', name: 'A', version: '1.0.0', severity: 'low', subs: [{ name: 'fail' }, { name: 'ok' }], expr: { op: '->', of: [{ sub: 'fail' }, { sub: 'ok' }], within: '5m' } };

test('what says nothing is left out', () => {
  expect(clean({ a: '', b: [], c: { d: undefined, e: 'x', rows: [] }, f: ['', null] })).toEqual({ c: { e: 'x', rows: [] }, f: ['', null] });
});

test('a part is renamed and taken out where the expression names it', () => {
  expect(renamed(form, 'fail', 'bad')).toMatchObject({ subs: [{ name: 'bad' }, { name: 'ok' }], expr: { of: [{ sub: 'bad' }, { sub: 'ok' }] } });
  expect(without(form, 'ok')).toEqual({ ...form, subs: [{ name: 'fail' }], expr: undefined });
  const three = withPart(form);
  expect(three.subs[2]).toMatchObject({ name: 'part3' });
  expect(three.expr).toEqual({ op: '->', of: [form.expr, { sub: 'part3' }] });
  expect(without(three, 'ok').expr).toEqual({ op: '->', of: [{ sub: 'fail' }, { sub: 'part3' }] });
  expect(withPart({ ...form, subs: [{ name: 'fail' }], expr: undefined as never }).expr).toEqual({ op: '->', of: [{ sub: 'fail' }, { sub: 'part2' }] });
});

test('a test of a field has words, and its values stay as long as it takes any', () => {
  const row = { field: 'user.name', modifiers: ['contains'], values: ['a'] };
  expect(testOf(row)).toBe('contains');
  expect(withTest(row, '')).toEqual({ field: 'user.name', values: ['a'] });
  expect(withTest(row, 'contains|all')).toEqual({ field: 'user.name', modifiers: ['contains', 'all'], values: ['a'] });
  expect(withTest(row, 'exists')).toEqual({ field: 'user.name', modifiers: ['exists'], values: ['true'] });
  expect(testOf({ field: 'x', values: [null] })).toBe('(missing)');
  expect(testOf(withTest(row, '(missing)'))).toBe('(missing)');
  expect(withTest(withTest(row, 'exists'), 'gt')).toEqual({ field: 'user.name', modifiers: ['gt'], values: [] });
});

test('a key of what was learnt has the order of the part that learns', () => {
  const subs = [{ name: 'other', by: ['b', 'a'] }, { name: 'learns', by: ['b', 'a'], baseline: {} }];
  expect(learntKey({ subs }, { a: '1', b: '2' })).toEqual(['2', '1']);
  expect(learntKey({ subs }, { c: '1' })).toEqual(['1']);
});
