import { describe, expect, it } from 'vitest';
import { collect, isName, limits, nameOf, outcomeOf, slug } from './samples';

const text = (b: Uint8Array) => new TextDecoder().decode(b);

describe('collect', () => {
  it('takes a record from each line, and keeps the bytes of what was taken', () => {
    const taken = new Uint8Array([0xff, 0x0a, 0x41]);
    const { records, leftOut } = collect([taken], 'one\r\n\n  \ntwo');
    expect(records[0]).toBe(taken);
    expect(records.slice(1).map(text)).toEqual(['one', 'two']);
    expect(leftOut).toBe(0);
  });
  it('leaves out what is over a limit, and says how much', () => {
    const long = 'x'.repeat(limits.bytes + 1);
    expect(collect([], `${long}\nshort`)).toMatchObject({ leftOut: 1 });
    const many = Array.from({ length: limits.samples + 1 }, (_, i) => `line ${i}`).join('\n');
    const { records, leftOut } = collect([], many);
    expect([records.length, leftOut]).toEqual([limits.samples, 1]);
  });
});

describe('names', () => {
  it.each([
    ['framing: syslog\nprograms: [doord, gate]\n', 'doord'],
    ['framing: syslog\nprograms: ["postfix/*"]\n', 'postfix'],
    ['prefix: acme # of fields\n', 'acme'],
    ['', 'custom'],
  ])('%j → %s', (spec, want) => expect(nameOf(spec)).toBe(want));
  it('are made of letters, digits and dashes', () => {
    expect(slug('9 Door_Lock!')).toBe('door-lock');
    expect(isName('door-lock')).toBe(true);
    for (const bad of ['', '9a', 'A', 'a-', 'a b', 'a'.repeat(64)]) expect(isName(bad), bad).toBe(false);
  });
});

it('tells what became of a record', () => {
  expect(outcomeOf({ error: '', events: [{}] })).toBe('read');
  expect(outcomeOf({ error: '', events: [] })).toBe('unread');
  expect(outcomeOf({ error: 'not mine', events: [] })).toBe('unread');
  expect(outcomeOf({ error: 'E_FUEL: the budget is spent', events: [] })).toBe('failed');
});
