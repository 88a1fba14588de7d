import { expect, test } from 'vitest';
import { compare, parse, type Row, rowsOf, wordsOf } from './diff';

const diff = '@@ -2,3 +2,4 @@\n a\n-b old\n+b new\n+c\n d\n@@ -9 +9,0 @@\n-gone\n\\ No newline at end of file\n';
const text = ['0', 'a', 'b new', 'c', 'd', '6', '7', '8', '9'];

const say = (r: Row): string => {
  if (r.kind === 'fold') return `fold ${r.lines} at ${r.a},${r.b}`;
  if (r.kind === 'pair') return `${r.left ? `${r.left.a} ${r.left.text}` : '-'} | ${r.right ? `${r.right.b} ${r.right.text}` : '-'}`;
  return `${{ same: ' ', add: '+', del: '-' }[r.line.kind]}${r.line.text}`;
};
const shown = (open: string[], sides: boolean, lines: string[] | null = text) => rowsOf({ hunks: parse(diff), text: lines ?? undefined, open: new Set(open), sides }).map(say);

test('lines have their numbers in both texts', () => {
  const [first, second] = parse(diff);
  expect(first!.lines.map((l) => [l.kind, l.a, l.b])).toEqual([['same', 2, 2], ['del', 3, 0], ['add', 0, 3], ['add', 0, 4], ['same', 4, 5]]);
  expect(second!.lines).toEqual([{ kind: 'del', text: 'gone', a: 9, b: 0 }]);
  expect(second!.open).toBe(true);
});

test('an empty side begins behind the line that the head names', () => {
  expect(parse('@@ -0,0 +1,2 @@\n+a\n+b\n')[0]).toMatchObject({ a: 1, b: 1 });
  expect(parse('@@ -1,2 +0,0 @@\n-a\n-b\n')[0]).toMatchObject({ a: 1, b: 1 });
});

test('unchanged lines are folded, and open one fold at a time', () => {
  expect(shown([], false)).toEqual(['fold 1 at 1,1', ' a', '-b old', '+b new', '+c', ' d', 'fold 4 at 5,6', '-gone']);
  expect(shown(['6'], false)).toEqual(['fold 1 at 1,1', ' a', '-b old', '+b new', '+c', ' d', ' 6', ' 7', ' 8', ' 9', '-gone']);
});

test('side by side, a line stands beside the one that it replaces', () => {
  expect(shown(['1', '6'], true)).toEqual(['1 0 | 1 0', '2 a | 2 a', '3 b old | 3 b new', '- | 4 c', '4 d | 5 d', '5 6 | 6 6', '6 7 | 7 7', '7 8 | 8 8', '8 9 | 9 9', '9 gone | -']);
});

test('without the text nothing opens, and what follows the last change is not known', () => {
  expect(shown(['1', '6'], false, null)).toEqual(['fold 1 at 1,1', ' a', '-b old', '+b new', '+c', ' d', 'fold 4 at 5,6', '-gone']);
});

test('a text without a difference is one fold', () => {
  expect(rowsOf({ hunks: [], text: ['a', 'b'], open: new Set(), sides: false }).map(say)).toEqual(['fold 2 at 1,1']);
});

test('words of a line that are different are marked', () => {
  const marked = (a: string, b: string | undefined) => wordsOf(a, b).map((p) => (p.changed ? `[${p.text}]` : p.text)).join(''); // prettier-ignore
  expect(marked('permit tcp host 10.0.0.1 any', 'permit tcp host 10.0.0.2 any')).toBe('permit tcp host 10.0.0.[1] any');
  expect(marked('telnet on', 'telnet off')).toBe('telnet [on]');
  expect(marked('entirely new', 'nothing of it')).toBe('entirely new');
  expect(marked('alone', undefined)).toBe('alone');
  expect(marked('x '.repeat(500), 'x')).toBe('x '.repeat(500));
});

test('a long difference is laid out in no time', () => {
  const long = `@@ -1,0 +1,20000 @@\n${'+interface line\n'.repeat(20_000)}`;
  const from = performance.now();
  expect(rowsOf({ hunks: parse(long), text: undefined, open: new Set(), sides: true })).toHaveLength(20_000);
  expect(performance.now() - from).toBeLessThan(1_000);
});

const unified = (before: string, after: string) => compare(before, after).map((h) => [`@@ ${h.a} ${h.b}`, ...h.lines.map((l) => `${{ same: ' ', add: '+', del: '-' }[l.kind]}${l.text} ${l.a},${l.b}`)]);

test('two texts are compared line by line', () => {
  expect(unified('a\nb\nc\n', 'a\nb\nc\n')).toEqual([]);
  expect(unified('', 'a\nb\n')).toEqual([['@@ 1 1', '+a 0,1', '+b 0,2']]);
  expect(unified('1\n2\n3\n4\nold\n5\n6\n7\n8\n', '1\n2\n3\n4\nnew\nand\n5\n6\n7\n8\n')).toEqual([
    ['@@ 2 2', ' 2 2,2', ' 3 3,3', ' 4 4,4', '-old 5,0', '+new 0,5', '+and 0,6', ' 5 6,7', ' 6 7,8', ' 7 8,9'],
  ]);
  expect(unified('a\nb\nb\n', 'b\nb\na\n')).toEqual([['@@ 1 1', '-a 1,0', ' b 2,1', ' b 3,2', '+a 0,3']]);
});

test('changes far from each other are hunks of their own', () => {
  const lines = Array.from({ length: 40 }, (_, i) => `line ${i + 1}`);
  const changed = lines.with(4, 'five').with(34, 'thirty-five');
  const hunks = compare(lines.join('\n'), changed.join('\n'));
  expect(hunks.map((h) => [h.a, h.b, h.lines.length])).toEqual([[2, 2, 8], [32, 32, 8]]);
  expect(rowsOf({ hunks, text: changed, open: new Set(), sides: false }).map(say).filter((s) => !s.startsWith(' '))).toEqual([
    'fold 1 at 1,1', '-line 5', '+five', 'fold 23 at 9,9', '-line 35', '+thirty-five', 'fold 2 at 39,39',
  ]);
});
