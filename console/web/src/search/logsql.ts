// What the editor knows of LogsQL: its words, its colours, and what can be completed where.

import type { StreamParser, StringStream } from '@codemirror/language';

// Source: VictoriaLogs documentation, "LogsQL: pipes" and "stats pipe functions".
export const pipes: Readonly<Record<string, string>> = {
  stats: 'stats by (field) count() name: calculate over events',
  top: 'top 10 by (field): the most frequent values',
  uniq: 'uniq by (field): different values',
  facets: 'facets 10: the most frequent values of all fields',
  sort: 'sort by (field desc): order',
  limit: 'limit 100: the first lines only',
  offset: 'offset 100: leave out the first lines',
  fields: 'fields a, b: only these columns',
  delete: 'delete a, b: without these columns',
  rename: 'rename a as b',
  copy: 'copy a as b',
  where: 'where condition: only lines that match',
  filter: 'filter condition: only lines that match',
  extract: 'extract "user=<name> " from field: read a pattern',
  extract_regexp: 'extract_regexp "(?P<name>…)" from field',
  format: 'format "<a>:<b>" as c: put together',
  math: 'math a / b as c: calculate in a line',
  replace: 'replace ("a", "b") at field',
  unpack_json: 'unpack_json from field: fields out of JSON',
  unpack_logfmt: 'unpack_logfmt from field: fields out of key=value',
  unroll: 'unroll by (field): a line for each value of a list',
  len: 'len(field) as n: bytes of a value',
  sample: 'sample 10: one of ten',
  first: 'first 10 by (field)',
  last: 'last 10 by (field)',
};

export const functions = [
  'count', 'count_uniq', 'count_empty', 'sum', 'avg', 'min', 'max', 'median', 'quantile', 'rate', 'row_any', 'row_min', 'row_max', 'uniq_values', 'values', 'stddev',
] as const; // prettier-ignore

const words = new Set(['and', 'or', 'not', 'by', 'as', 'in', 'at', 'if', 'from', 'asc', 'desc', 'contains_any', 'contains_all', 'range', 'ipv4_range', 're', 'exact', 'seq', 'i', 'len_range', 'eq_field']);

interface State {
  // Behind a "|", before the pipe's name.
  pipe: boolean;
}

// parser colours one token after the other. It needs no more than that: the host says whether a query is right.
export const parser: StreamParser<State> = {
  name: 'logsql',
  startState: () => ({ pipe: false }),
  token(s: StringStream, state: State) {
    if (s.eatSpace()) return null;
    const c = s.peek()!;
    if (c === '#') {
      s.skipToEnd();
      return 'comment';
    }
    if (c === '"' || c === "'" || c === '`') return string(s) && s.match(/^\s*:(?!=?\/\/)/, false) ? 'propertyName' : 'string';
    if (c === '|') {
      s.next();
      state.pipe = true;
      return 'operator';
    }
    if (s.match(/^(:=|!=|>=|<=|:~|[:=<>~!,*-])/)) return 'operator';
    if (s.match(/^[()[\]{}]/)) return 'bracket';
    if (s.match(/^\d[\w.:/-]*/)) return 'number';
    if (s.match(/^[^\s"'`()[\]{}|:=<>~!,*#]+/)) {
      const word = s.current();
      const first = state.pipe;
      state.pipe = false;
      if (first && Object.hasOwn(pipes, word)) return 'keyword';
      if (s.match(/^\s*:/, false)) return word === '_time' ? 'keyword' : 'propertyName';
      if (words.has(word.toLowerCase())) return 'keyword';
      return s.match(/^\s*\(/, false) ? 'variableName.function' : 'variableName';
    }
    s.next();
    return null;
  },
};

function string(s: StringStream): boolean {
  const quote = s.next();
  for (let c = s.next(); c; c = s.next()) {
    if (c === quote) break;
    if (c === '\\' && quote !== '`') s.next();
  }
  return true;
}

export interface Place {
  kind: 'field' | 'value' | 'pipe' | 'function';
  // Where what is being written begins.
  from: number;
  // What has been written of it, without its quote.
  prefix: string;
  // Whose value it is.
  field: string;
  // The value begins with a quote that is open.
  quoted: boolean;
}

const word = String.raw`[A-Za-z_@][\w.@-]*`;
const ends = {
  value: new RegExp(String.raw`(?:^|[\s(!-])(${word}|"(?:[^"\\]|\\.)*"):[=~]?("?)((?:[^"\\\s()|]|(?<="[^"]*)[^"\\])*)$`),
  oneOf: new RegExp(String.raw`(?:^|[\s(!-])(${word}|"(?:[^"\\]|\\.)*"):(?:in|contains_any|contains_all)\((?:[^()]*,)?\s*("?)([^"(),]*)$`),
  pipe: /\|\s*(\w*)$/,
  by: new RegExp(String.raw`(?:\bby\s*\(|\b(?:fields|keep|delete|uniq|sort|top|from|at|as)\b\s|[(,])[^()|]*?(${word})?$`),
  field: new RegExp(String.raw`(?:^|[\s(!-])(${word})?$`),
};

// placeOf says what stands before the cursor; undefined when nothing can be completed there.
export function placeOf(text: string, at: number): Place | undefined {
  const before = text.slice(0, at);
  const value = ends.oneOf.exec(before) ?? ends.value.exec(before);
  if (value && value[1] !== '_time') {
    const field = value[1]!.startsWith('"') ? value[1]!.slice(1, -1) : value[1]!;
    return { kind: 'value', field, from: at - value[3]!.length - value[2]!.length, prefix: value[3]!, quoted: value[2] !== '' };
  }
  if (openQuote(before)) return undefined;
  const pipe = ends.pipe.exec(before);
  if (pipe) return { kind: 'pipe', from: at - pipe[1]!.length, prefix: pipe[1]!, field: '', quoted: false };
  const stats = /\|\s*stats\b(?:[^|]*\))?\s+(\w*)$|\|\s*stats\b[^|]*\)[^|()]*,\s*(\w*)$/.exec(before);
  if (stats && !/\bby\s*\([^)]*$/.test(before)) {
    const prefix = stats[1] ?? stats[2] ?? '';
    return { kind: 'function', from: at - prefix.length, prefix, field: '', quoted: false };
  }
  const m = (before.includes('|') ? ends.by : ends.field).exec(before);
  if (!m) return undefined;
  const prefix = m[1] ?? '';
  return { kind: 'field', from: at - prefix.length, prefix, field: '', quoted: false };
}

function openQuote(text: string): boolean {
  let open = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (open) {
      if (c === '\\' && open !== '`') i++;
      else if (c === open) open = '';
    } else if (c === '"' || c === "'" || c === '`') open = c;
  }
  return open !== '';
}

// spanOf is the word at an offset of bytes; at the end of the text, the last one.
export function spanOf(text: string, offset: number): { from: number; to: number } {
  const at = Math.min(text.length, new TextDecoder().decode(new TextEncoder().encode(text).slice(0, offset)).length);
  const ahead = /^\s*(\S+)/.exec(text.slice(at));
  if (ahead) return { from: at + ahead[0].length - ahead[1]!.length, to: at + ahead[0].length };
  const last = /(\S+)\s*$/.exec(text);
  return last ? { from: last.index, to: last.index + last[1]!.length } : { from: 0, to: text.length };
}
