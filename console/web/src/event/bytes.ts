// A record as bytes, laid out for the eye: runs of text of which each knows its bytes and the fields that were read from
// them. Spans are byte offsets and may cut a character in two; records may hold bytes that are no text at all.

import { visible } from '../ui/text';

// Span is a range of bytes of a record that a field was read from.
export interface Span {
  readonly field: string;
  readonly start: number;
  readonly end: number;
}

export type Kind = 'text' | 'control' | 'invalid';

// Run is a stretch of bytes that look and belong the same.
export interface Run {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly kind: Kind;
  // Fields that any of its bytes were read into, the one with the shortest span first.
  readonly fields: readonly string[];
}

export interface Layout {
  readonly runs: readonly Run[];
  // How many bytes the runs cover; less than the record when a limit was met.
  readonly end: number;
}

export interface Limits {
  readonly bytes: number;
  readonly runs: number;
}

// More than this is not coloured at once: a browser lays out some thousand coloured pieces within a frame or two.
export const limits: Limits = { bytes: 16 << 10, runs: 3_000 };

const noFields: readonly string[] = [];
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

// characterAt returns the code point that begins at i and how many bytes it takes; code -1 is a byte that is no UTF-8.
export function characterAt(raw: Uint8Array, i: number): { code: number; size: number } {
  const lead = raw[i]!;
  if (lead < 0x80) return { code: lead, size: 1 };
  const size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  const invalid = { code: -1, size: 1 };
  if (lead < 0xc2 || lead > 0xf4 || i + size > raw.length) return invalid;
  let code = lead & (0xff >> (size + 1));
  for (let k = 1; k < size; k++) {
    const next = raw[i + k]!;
    if ((next & 0xc0) !== 0x80) return invalid;
    code = (code << 6) | (next & 0x3f);
  }
  const least = [0, 0, 0x80, 0x800, 0x10000][size]!;
  if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return invalid;
  return { code, size };
}

const asItself: { kind: Kind; text: string } = { kind: 'text', text: '' };

// look returns how a character is shown when not as itself.
function look(code: number): { kind: Kind; text: string } {
  if (code >= 0x20 && code < 0x7f) return asItself;
  if (code < 0) return { kind: 'invalid', text: '' };
  const character = String.fromCodePoint(code);
  if (code === 0x0a) return { kind: 'control', text: '‹LF›\n' };
  const text = visible(character);
  return text === character ? asItself : { kind: 'control', text };
}

// Owners answers which fields own the bytes [from, to) for ranges that only move forward.
class Owners {
  private readonly starts: readonly Span[];
  private next = 0;
  private open: Span[] = [];
  private changesAt = 0;
  private fields = noFields;

  constructor(spans: readonly Span[]) {
    this.starts = spans.filter((s) => s.end > s.start).toSorted((a, b) => a.start - b.start);
  }

  of(from: number, to: number): readonly string[] {
    if (to <= this.changesAt) return this.fields;
    const before = this.open.length;
    this.open = this.open.filter((s) => s.end > from);
    let changed = this.open.length !== before;
    for (; this.next < this.starts.length && this.starts[this.next]!.start < to; this.next++) {
      const span = this.starts[this.next]!;
      if (span.end > from) this.open.push(span);
      changed = true;
    }
    if (changed) {
      const fields = this.open.toSorted((a, b) => a.end - a.start - (b.end - b.start)).map((s) => s.field);
      this.fields = fields.length === 0 ? noFields : [...new Set(fields)];
    }
    this.changesAt = Math.min(this.starts[this.next]?.start ?? Infinity, ...this.open.map((s) => s.end));
    return this.fields;
  }
}

// layOut returns the runs of a record, as far as the limits go.
export function layOut(raw: Uint8Array, spans: readonly Span[], { bytes, runs: most }: Limits = limits): Layout {
  const owners = new Owners(spans);
  const runs: Run[] = [];
  const stop = Math.min(raw.length, bytes);
  let start = 0;
  let kind: Kind = 'text';
  let fields = noFields;
  let text = '';
  let at = 0;
  const close = () => {
    if (at > start) runs.push({ start, end: at, text: kind === 'text' ? decoder.decode(raw.subarray(start, at)) : text, kind, fields });
    start = at;
    text = '';
  };
  while (at < stop) {
    const { code, size } = characterAt(raw, at);
    const shown = look(code);
    const own = owners.of(at, at + size);
    // What is shown as a symbol stands alone, so that a place in a run's text is a place in its bytes.
    if (shown.kind !== kind || kind !== 'text' || own !== fields) {
      close();
      if (runs.length >= most) break;
      kind = shown.kind;
      fields = own;
    }
    if (kind !== 'text') text = shown.text || `\\x${raw[at]!.toString(16).padStart(2, '0')}`;
    at += size;
  }
  close();
  return { runs, end: at };
}

// byteAt returns the byte that a place in a run's text stands for: offset counts UTF-16 units, as a selection does.
export function byteAt(run: Run, offset: number): number {
  if (run.kind !== 'text') return offset > 0 ? run.end : run.start;
  return run.start + encoder.encode(run.text.slice(0, offset)).length;
}

export interface Ownership {
  // Fields that were read from any of the bytes, in the order in which they stand.
  readonly fields: readonly string[];
  // How many of the bytes no field was read from.
  readonly unread: number;
}

// ownersOf says who read the bytes [from, to).
export function ownersOf(spans: readonly Span[], from: number, to: number): Ownership {
  const within = spans
    .filter((s) => s.start < to && s.end > from)
    .toSorted((a, b) => a.start - b.start || b.end - a.end);
  let unread = 0;
  let at = from;
  for (const s of within) {
    unread += Math.max(0, s.start - at);
    at = Math.max(at, Math.min(s.end, to));
  }
  return { fields: [...new Set(within.map((s) => s.field))], unread: unread + to - at };
}

// textOf decodes bytes for copying or for a sample; what is no UTF-8 becomes U+FFFD.
export const textOf = (raw: Uint8Array): string => decoder.decode(raw);

export const hues = 8;

// huesOf gives each field that was read from bytes one of the hues: fields of the same bytes share it, neighbours differ.
export function huesOf(spans: readonly Span[]): ReadonlyMap<string, number> {
  const out = new Map<string, number>();
  const places = new Map<string, number>();
  for (const s of spans.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const place = `${s.start} ${s.end}`;
    const hue = places.get(place) ?? places.size % hues;
    places.set(place, hue);
    if (!out.has(s.field)) out.set(s.field, hue);
  }
  return out;
}

const none: ReadonlySet<string> = new Set();

// matesOf returns a field and those that were read from the very same bytes.
export function matesOf(spans: readonly Span[], field: string | undefined): ReadonlySet<string> {
  if (field === undefined) return none;
  const own = spans.filter((s) => s.field === field);
  return new Set([field, ...spans.filter((s) => own.some((o) => o.start === s.start && o.end === s.end)).map((s) => s.field)]);
}
