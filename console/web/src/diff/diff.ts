// A difference as it is shown: lines side by side or one under the other, unchanged ones folded, and within a changed line
// the words that are different.

export interface Line {
  readonly kind: 'same' | 'add' | 'del';
  readonly text: string;
  // Numbers of the line in both texts, from 1; 0 where it is not.
  readonly a: number;
  readonly b: number;
}

export interface Hunk {
  readonly a: number;
  readonly b: number;
  readonly lines: readonly Line[];
  // The last line of a text that does not end with a line feed.
  readonly open: boolean;
}

// parse reads a unified difference without its head.
export function parse(diff: string): Hunk[] {
  const out: { a: number; b: number; lines: Line[]; open: boolean }[] = [];
  let a = 0;
  let b = 0;
  for (const line of diff.split('\n')) {
    const head = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (head) {
      // Of an empty range the line before it is named.
      a = Number(head[1]) + (head[2] === '0' ? 1 : 0);
      b = Number(head[3]) + (head[4] === '0' ? 1 : 0);
      out.push({ a, b, lines: [], open: false });
      continue;
    }
    const hunk = out.at(-1);
    if (!hunk || line === '') continue;
    const text = line.slice(1);
    if (line[0] === '+') hunk.lines.push({ kind: 'add', text, a: 0, b: b++ });
    else if (line[0] === '-') hunk.lines.push({ kind: 'del', text, a: a++, b: 0 });
    else if (line[0] === ' ') hunk.lines.push({ kind: 'same', text, a: a++, b: b++ });
    else hunk.open = true;
  }
  return out;
}

const around = 3; // unchanged lines beside a change
const mostCells = 4_000_000; // pairs of lines that are compared; of longer texts everything counts as changed

// linesOf parts a text into lines; the last one may end without a line feed.
export function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

// compare finds the hunks between two texts.
export function compare(before: string, after: string): Hunk[] {
  const [x, y] = [linesOf(before), linesOf(after)];
  let same = 0;
  while (same < x.length && x[same] === y[same]) same++;
  let end = 0;
  while (end < Math.min(x.length, y.length) - same && x.at(-1 - end) === y.at(-1 - end)) end++;
  const [old, now] = [x.slice(same, x.length - end), y.slice(same, y.length - end)];
  const few = old.length * now.length <= mostCells;
  const kept = few ? common(old, now) : [];
  const lines: Line[] = [];
  let b = same + 1;
  const add = (until: string | undefined) => {
    while (b <= y.length - end && y[b - 1] !== until) lines.push({ kind: 'add', text: y[b - 1]!, a: 0, b: b++ });
  };
  old.forEach((text, i) => {
    if (!kept[i]) return void lines.push({ kind: 'del', text, a: same + i + 1, b: 0 });
    add(text);
    lines.push({ kind: 'same', text, a: same + i + 1, b: b++ });
  });
  add(undefined);
  return hunksOf(x, y, lines, same, end);
}

// hunksOf groups changed lines with what is around them. head and tail lines of both texts are the same.
function hunksOf(x: readonly string[], y: readonly string[], changed: readonly Line[], head: number, tail: number): Hunk[] {
  if (changed.length === 0) return [];
  const before = range(Math.max(1, head - around + 1), head).map((n): Line => ({ kind: 'same', text: x[n - 1]!, a: n, b: n }));
  const after = range(1, Math.min(around, tail)).map((n): Line => ({ kind: 'same', text: x[x.length - tail + n - 1]!, a: x.length - tail + n, b: y.length - tail + n }));
  const all = [...before, ...changed, ...after];
  const near = all.map((_, i) => all.slice(Math.max(0, i - around), i + around + 1).some((l) => l.kind !== 'same'));
  const out: { a: number; b: number; lines: Line[]; open: boolean }[] = [];
  let [a, b] = [before[0]?.a ?? head + 1, before[0]?.b ?? head + 1];
  all.forEach((line, i) => {
    if (near[i] && !near[i - 1]) out.push({ a, b, lines: [], open: false });
    if (near[i]) out.at(-1)!.lines.push(line);
    if (line.kind !== 'add') a++;
    if (line.kind !== 'del') b++;
  });
  return out;
}

const range = (from: number, to: number): number[] => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);

// Row is one row of the picture. In a pair the left or the right side may be missing.
export type Row =
  | { readonly kind: 'line'; readonly line: Line; readonly mate: Line | undefined; readonly change: number }
  | { readonly kind: 'pair'; readonly left: Line | undefined; readonly right: Line | undefined; readonly change: number }
  | { readonly kind: 'fold'; readonly key: string; readonly lines: number; readonly a: number; readonly b: number };

interface Config {
  readonly hunks: readonly Hunk[];
  // Lines of the newer text, from which folds are opened; undefined while it is not here.
  readonly text: readonly string[] | undefined;
  // Keys of folds that are open.
  readonly open: ReadonlySet<string>;
  readonly sides: boolean;
}

// rowsOf lays a difference out. Rows that belong to one change have its number, from 0; the others have -1.
export function rowsOf({ hunks, text, open, sides }: Config): Row[] {
  const out: Row[] = [];
  let change = 0;
  let a = 1;
  let b = 1;
  const same = (line: Line) => out.push(sides ? { kind: 'pair', left: line, right: line, change: -1 } : { kind: 'line', line, mate: undefined, change: -1 });
  const skip = (to: number) => {
    const lines = to - b;
    if (lines <= 0) return;
    const key = String(b);
    if (!open.has(key) || !text) out.push({ kind: 'fold', key, lines, a, b });
    else for (let i = 0; i < lines; i++) same({ kind: 'same', text: text[b - 1 + i] ?? '', a: a + i, b: b + i });
    a += lines;
    b = to;
  };
  for (const hunk of hunks) {
    skip(hunk.b);
    for (let i = 0; i < hunk.lines.length; ) {
      const line = hunk.lines[i]!;
      if (line.kind === 'same') {
        same(line);
        i++;
        continue;
      }
      let end = i;
      while (end < hunk.lines.length && hunk.lines[end]!.kind !== 'same') end++;
      changed(out, hunk.lines.slice(i, end), change++, sides);
      i = end;
    }
    a = hunk.a + hunk.lines.filter((l) => l.kind !== 'add').length;
    b = hunk.b + hunk.lines.filter((l) => l.kind !== 'del').length;
  }
  if (text) skip(text.length + 1);
  return out;
}

// changed lays out one change. A removed line and the added one in its place are each other's mates.
function changed(out: Row[], lines: readonly Line[], change: number, sides: boolean): void {
  const gone = lines.filter((l) => l.kind === 'del');
  const come = lines.filter((l) => l.kind === 'add');
  if (!sides) {
    gone.forEach((line, i) => out.push({ kind: 'line', line, mate: come[i], change }));
    come.forEach((line, i) => out.push({ kind: 'line', line, mate: gone[i], change }));
    return;
  }
  for (let i = 0; i < Math.max(gone.length, come.length); i++) out.push({ kind: 'pair', left: gone[i], right: come[i], change });
}

export interface Piece {
  readonly text: string;
  readonly changed: boolean;
}

const most = 400; // words of a line that are compared; longer ones are marked as a whole

const wordsIn = (text: string): string[] => text.match(/[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu) ?? [];

// wordsOf parts a line into what its mate has and what it has not. Two lines with little in common are not compared: marks
// on nearly all of it would say nothing.
export function wordsOf(text: string, mate: string | undefined): Piece[] {
  const whole = [{ text, changed: false }];
  if (mate === undefined || text === '') return whole;
  const [x, y] = [wordsIn(text), wordsIn(mate)];
  if (x.length > most || y.length > most) return whole;
  const kept = common(x, y);
  const shared = x.reduce((n, w, i) => n + (kept[i] && w.trim() ? w.length : 0), 0);
  if (shared * 3 < text.replace(/\s/g, '').length) return whole;
  const out: { text: string; changed: boolean }[] = [];
  x.forEach((w, i) => {
    const last = out.at(-1);
    if (last && last.changed === !kept[i]) last.text += w;
    else out.push({ text: w, changed: !kept[i] });
  });
  return out;
}

// common says which of x belong to the longest common subsequence of x and y.
function common(x: readonly string[], y: readonly string[]): boolean[] {
  const width = y.length + 1;
  const best = new Uint16Array((x.length + 1) * width);
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = y.length - 1; j >= 0; j--) {
      best[i * width + j] = x[i] === y[j] ? best[(i + 1) * width + j + 1]! + 1 : Math.max(best[(i + 1) * width + j]!, best[i * width + j + 1]!);
    }
  }
  const kept = new Array<boolean>(x.length).fill(false);
  for (let i = 0, j = 0; i < x.length && j < y.length; ) {
    if (x[i] === y[j]) {
      kept[i++] = true;
      j++;
    } else if (best[(i + 1) * width + j]! >= best[i * width + j + 1]!) i++;
    else j++;
  }
  return kept;
}
