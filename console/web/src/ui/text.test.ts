import { describe, expect, it } from 'vitest';
import { age, bytes, plural, rate, shortAge } from './age';
import { csvCell, pieces, visible } from './text';

describe('age', () => {
  const now = Date.parse('2026-01-31T12:00:00Z');
  it.each([
    ['2026-01-31T12:00:00.000Z', 'now', 'now'],
    ['2026-01-31T12:00:05Z', 'now', 'now'], // the host's clock is ahead
    ['2026-01-31T11:59:59Z', '1 s', '1 s'],
    ['2026-01-31T11:59:01.123Z', '58 s', '58 s'],
    ['2026-01-31T11:56:55Z', '3 m 5 s', '3 m'],
    ['2026-01-31T11:57:00Z', '3 m', '3 m'],
    ['2026-01-31T09:50:00Z', '2 h 10 m', '2 h'],
    ['2026-01-27T10:59:59Z', '4 d 1 h', '4 d'],
  ])('%s is %s, short %s', (moment, want, short) => {
    expect(age(Date.parse(moment), now)).toBe(want);
    expect(shortAge(Date.parse(moment), now)).toBe(short);
  });
  it('of nothing is a dash', () => expect(age(0, now)).toBe('–'));
});

describe('numbers', () => {
  it.each([
    [0, '0'],
    [0.31, '0.3'],
    [9.96, '10.0'],
    [47.4, '47'],
    [5012.2, '5,012'],
  ])('%d events a second are %s', (n, want) => expect(rate(n)).toBe(want));
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [52_428_800, '50 MiB'],
  ])('%d bytes are %s', (n, want) => expect(bytes(n)).toBe(want));
  it('plurals', () => expect([plural(1, 'event'), plural(1_200, 'event'), plural(2, 'entry', 'entries')]).toEqual(['1 event', '1,200 events', '2 entries']));
});

describe('text of strangers', () => {
  it.each([
    ['plain', 'plain'],
    ['a\u001b[31mred\u0007', 'a‹ESC›[31mred‹BEL›'],
    ['line\r\nline', 'line‹CR›‹LF›line'],
    ['user\u202egnp.exe', 'user‹U+202E›gnp.exe'],
    ['zero\u200bwidth\ufeff', 'zero‹U+200B›width‹U+FEFF›'],
    ['del\u007f c1\u009b', 'del‹DEL› c1‹U+009B›'],
    ['日本語 ok 😀', '日本語 ok 😀'],
  ])('%j is shown as %s', (text, want) => expect(visible(text)).toBe(want));

  it('keeps line feeds where lines are wanted', () => {
    expect(pieces('a\nb\u001b', true)).toEqual([{ text: 'a\nb', control: false }, { text: '‹ESC›', control: true }]);
  });

  it.each([
    ['plain', 'plain'],
    ['=HYPERLINK("http://x")', '"\'=HYPERLINK(""http://x"")"'],
    ['+1', '"\'+1"'],
    ['-1+cmd', '"\'-1+cmd"'],
    ['@SUM(A1)', '"\'@SUM(A1)"'],
    ['\tx', '"\'\tx"'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
  ])('%j becomes the cell %s', (value, want) => expect(csvCell(value)).toBe(want));
});
