import { describe, expect, it } from 'vitest';
import { placeOf, spanOf } from './logsql';

// The cursor is at ‸.
const at = (text: string) => placeOf(text.replace('‸', ''), text.indexOf('‸'));

describe('what can be completed', () => {
  it.each([
    ['‸', { kind: 'field', prefix: '' }],
    ['host.n‸', { kind: 'field', prefix: 'host.n' }],
    ['error -user.na‸', { kind: 'field', prefix: 'user.na' }],
    ['(a or ho‸', { kind: 'field', prefix: 'ho' }],
    ['host.name:‸', { kind: 'value', field: 'host.name', prefix: '', quoted: false }],
    ['host.name:=we‸', { kind: 'value', field: 'host.name', prefix: 'we', quoted: false }],
    ['x host.name:="we‸', { kind: 'value', field: 'host.name', prefix: 'we', quoted: true }],
    ['-event.action:="Failed pass‸', { kind: 'value', field: 'event.action', prefix: 'Failed pass', quoted: true }],
    ['host.name:in("a", "b‸', { kind: 'value', field: 'host.name', prefix: 'b', quoted: true }],
    ['host.name:in(‸', { kind: 'value', field: 'host.name', prefix: '', quoted: false }],
    ['"odd name":=x‸', { kind: 'value', field: 'odd name', prefix: 'x' }],
    ['* | ‸', { kind: 'pipe', prefix: '' }],
    ['* | sta‸', { kind: 'pipe', prefix: 'sta' }],
    ['* | stats by (event.da‸', { kind: 'field', prefix: 'event.da' }],
    ['* | stats by (event.dataset, ho‸', { kind: 'field', prefix: 'ho' }],
    ['* | stats by (event.dataset) cou‸', { kind: 'function', prefix: 'cou' }],
    ['* | stats cou‸', { kind: 'function', prefix: 'cou' }],
    ['* | fields host.na‸', { kind: 'field', prefix: 'host.na' }],
    ['* | stats by (a) count() n | sort by (‸', { kind: 'field', prefix: '' }],
  ])('%s', (text, want) => expect(at(text)).toMatchObject(want));

  it.each(['"a phrase ho‸', '_time:5‸'])('nothing in %s', (text) => expect(at(text)).toBeUndefined());
});

describe('a mistake', () => {
  it.each([
    ['a:b )', 4, ')'],
    ['a:b   oops more', 3, 'oops'],
    ['é日 x:', 6, 'x:'], // é has two bytes, 日 three
    ['user.name:', 10, 'user.name:'],
    ['😀 |', 5, '|'],
    ['abc', 99, 'abc'],
  ])('in %s at byte %d is at %s', (text, offset, want) => {
    const { from, to } = spanOf(text, offset);
    expect(text.slice(from, to)).toBe(want);
  });
  it('in nothing is nowhere', () => expect(spanOf('', 0)).toEqual({ from: 0, to: 0 }));
});
