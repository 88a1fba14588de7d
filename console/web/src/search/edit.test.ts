import { describe, expect, it } from 'vitest';
import { chosen, clear, split, termsOf, toggle } from './edit';

const ask = (field: string, value: string) => ({ field, value, exclude: false });
const not = (field: string, value: string) => ({ field, value, exclude: true });

describe('a query is parted', () => {
  it.each([
    ['', '', ''],
    ['a b', 'a b', ''],
    ['a | stats count()', 'a', '| stats count()'],
    ['x:"a|b" | limit 5 | sort by (x)', 'x:"a|b"', '| limit 5 | sort by (x)'],
    ['x:in(y | fields z) | limit 5', 'x:in(y | fields z)', '| limit 5'],
    [String.raw`x:"a\"|" | limit 5`, String.raw`x:"a\"|"`, '| limit 5'],
    ['x:`a\\` | limit 5', 'x:`a\\`', '| limit 5'],
    ['"never closed | x', '"never closed | x', ''],
  ])('%s', (text, filter, pipes) => expect(split(text)).toEqual({ filter, pipes }));

  it.each([
    ['a  b', ['a', 'b']],
    ['host:="a b" -user:=root', ['host:="a b"', '-user:=root']],
    ['- host:=a', ['- host:=a']],
    ['host: "a b" c', ['host: "a b"', 'c']],
    ['host :="a"', ['host :="a"']],
    ['(a or b) x:in("1", "2")', ['(a or b)', 'x:in("1", "2")']],
    ['_time:[2026-01-01, 2026-01-02) a', ['_time:[2026-01-01, 2026-01-02)', 'a']],
    ['status:>= 400 a', ['status:>= 400', 'a']],
  ])('%s has the terms', (filter, terms) => expect(termsOf(filter)).toEqual(terms));
});

describe('a facet edits the query', () => {
  it.each([
    ['', ask('host.name', 'web-1'), 'host.name:="web-1"'],
    ['*', ask('host.name', 'web-1'), 'host.name:="web-1"'],
    ['error', ask('host.name', 'web-1'), 'error host.name:="web-1"'],
    ['host.name:="web-1"', ask('host.name', 'web-2'), 'host.name:in("web-1", "web-2")'],
    ['host.name:in("web-1", "web-2") x', ask('host.name', 'web-1'), 'host.name:="web-2" x'],
    ['host.name:="web-1" x', ask('host.name', 'web-1'), 'x'],
    ['host.name:="web-1"', ask('host.name', 'web-1'), ''],
    ['host.name:="web-1"', not('host.name', 'web-1'), '-host.name:="web-1"'],
    ['-host.name:="web-1"', not('host.name', 'db'), '-host.name:in("web-1", "db")'],
    ['!host.name:=web', not('host.name', 'web'), ''],
    ['a or b', ask('user.name', 'root'), '(a or b) user.name:="root"'],
    ['user.name:="root" or b', ask('user.name', 'root'), '(user.name:="root" or b) user.name:="root"'],
    ['* | stats count()', ask('user.name', 'root'), 'user.name:="root" | stats count()'],
    ['user.name:="root" | stats count()', ask('user.name', 'root'), '* | stats count()'],
    ['x', ask('odd name', 'say "hi" \\ | or'), String.raw`x "odd name":="say \"hi\" \\ | or"`],
  ])('%s and %o', (text, what, want) => expect(toggle(text, what)).toBe(want));

  it('and takes its own writing back, whatever the value', () => {
    for (const value of ['a', '"', '\\', 'a b', '(', ')', '|', "it's", '`', '\u001b[31m', '日本', '["a","b"]', '-x', '=1']) {
      const once = toggle('error | limit 5', ask('a.b', value));
      expect(chosen(once).get('a.b')?.include).toEqual(new Set([value]));
      expect(toggle(once, ask('a.b', value))).toBe('error | limit 5');
    }
  });
  it('shows what is chosen', () => {
    const of = chosen('x host:="a" -user.name:in("b", "c") (z:="q" or y) | where w:="v"');
    expect([...of.keys()]).toEqual(['host', 'user.name']);
    expect(of.get('user.name')?.exclude).toEqual(new Set(['b', 'c']));
  });
  it('clears a field', () => expect(clear('host:="a" -host:in("b", "c") x | limit 1', 'host')).toBe('x | limit 1'));
});
