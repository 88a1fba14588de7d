import { expect, test } from 'vitest';
import { packagesOf, parse, type Row, rowsOf, wordsOf } from './diff';

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

test('a list of packages is read as one', () => {
  expect(packagesOf(parse('@@ -1,3 +1,3 @@\n bash\t5.2\n-curl\t8.1\n+curl\t8.2\n-telnet\t0.17\n+zsh\t5.9\n'))).toEqual([
    { name: 'curl', before: '8.1', after: '8.2' }, { name: 'telnet', before: '0.17', after: '' }, { name: 'zsh', before: '', after: '5.9' },
  ]);
  expect(packagesOf(parse(diff))).toBeUndefined();
  expect(packagesOf([])).toBeUndefined();
});

test('a long difference is laid out in no time', () => {
  const long = `@@ -1,0 +1,20000 @@\n${'+interface line\n'.repeat(20_000)}`;
  const from = performance.now();
  expect(rowsOf({ hunks: parse(long), text: undefined, open: new Set(), sides: true })).toHaveLength(20_000);
  expect(performance.now() - from).toBeLessThan(1_000);
});
