import { describe, expect, it } from 'vitest';
import { byteAt, characterAt, huesOf, hues, layOut, limits, matesOf, ownersOf, type Span } from './bytes';

const utf8 = (s: string) => new TextEncoder().encode(s);
const raw = (...parts: (string | number[])[]) => Uint8Array.from(parts.flatMap((p) => (typeof p === 'string' ? [...utf8(p)] : p)));
const span = (field: string, start: number, end: number): Span => ({ field, start, end });
const show = (r: Uint8Array, spans: Span[] = []) => layOut(r, spans).runs.map((run) => [run.text, run.start, run.end, run.fields.join()]);

describe('layOut', () => {
  it('cuts where fields begin and end', () => {
    expect(show(raw('user=root ok'), [span('user.name', 5, 9)])).toEqual([['user=', 0, 5, ''], ['root', 5, 9, 'user.name'], [' ok', 9, 12, '']]);
  });
  it('counts bytes, not characters', () => {
    const r = raw('größe=€1 😀!');
    const at = utf8('größe=').length;
    expect(show(r, [span('a', at, at + 3), span('b', at + 5, at + 9)])).toEqual([
      ['größe=', 0, at, ''], ['€', at, at + 3, 'a'], ['1 ', at + 3, at + 5, ''], ['😀', at + 5, at + 9, 'b'], ['!', at + 9, at + 10, ''],
    ]); // prettier-ignore
  });
  it('gives a character that a span cuts in two to that field', () => {
    expect(show(raw('a€b'), [span('x', 0, 2), span('y', 3, 5)])).toEqual([['a', 0, 1, 'x'], ['€', 1, 4, 'x,y'], ['b', 4, 5, 'y']]);
  });
  it('names the shortest of overlapping spans first', () => {
    expect(show(raw('abcdef'), [span('message', 0, 6), span('inner', 2, 4), span('cross', 3, 5)])).toEqual([
      ['ab', 0, 2, 'message'], ['c', 2, 3, 'inner,message'], ['d', 3, 4, 'inner,cross,message'], ['e', 4, 5, 'cross,message'], ['f', 5, 6, 'message'],
    ]); // prettier-ignore
  });
  it('shows control characters, and direction marks, as symbols of their own', () => {
    expect(show(raw('a\u001b[31m\n\u202eb')).map(([t]) => t)).toEqual(['a', '‹ESC›', '[31m', '‹LF›\n', '‹U+202E›', 'b']);
  });
  it('shows each byte that is no UTF-8', () => {
    const broken = raw('a', [0xff], [0xc3], 'b', [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf4, 0x90, 0x80, 0x80]);
    const { runs, end } = layOut(broken, []);
    expect(end).toBe(broken.length);
    expect(runs.filter((r) => r.kind === 'invalid')).toHaveLength(broken.length - 2);
    expect(runs[1]).toMatchObject({ text: '\\xff', start: 1, end: 2 });
  });
  it('keeps a byte order mark and an empty record', () => {
    expect(show(raw([0xef, 0xbb, 0xbf], 'x')).map(([t]) => t)).toEqual(['‹U+FEFF›', 'x']);
    expect(layOut(raw(''), [span('a', 0, 4)])).toEqual({ runs: [], end: 0 });
  });
  it('ignores empty spans and those beyond the record', () => {
    expect(show(raw('ab'), [span('none', 1, 1), span('far', 5, 9)])).toEqual([['ab', 0, 2, '']]);
  });
  it('covers every byte once, whatever the spans', () => {
    let seed = 7;
    const random = (n: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % n;
    for (let round = 0; round < 200; round++) {
      const r = Uint8Array.from({ length: random(60) }, () => [0x41, 0xc3, 0xa4, 0x0a, 0xe2, 0x82, 0xac, 0xff][random(8)]!);
      const spans = Array.from({ length: random(8) }, (_, i) => {
        const start = random(60);
        return span(`f${i}`, start, start + random(20));
      });
      const { runs, end } = layOut(r, spans);
      expect(end).toBe(r.length);
      let at = 0;
      for (const run of runs) {
        expect(run.start).toBe(at);
        at = run.end;
        const owners = spans.filter((s) => s.end > s.start && s.start < run.end && s.end > run.start).map((s) => s.field);
        expect([...run.fields].sort()).toEqual([...new Set(owners)].sort());
      }
      expect(at).toBe(r.length);
    }
  });
  it('stops at its limits and says where', () => {
    expect(layOut(raw('x'.repeat(64 << 10)), []).end).toBe(limits.bytes);
    const many = layOut(raw('\u0001'.repeat(8_000)), []);
    expect(many.runs).toHaveLength(limits.runs);
    expect(many.end).toBe(limits.runs);
    const all = layOut(raw('x'.repeat(64 << 10)), [], { bytes: Infinity, runs: 20_000 });
    expect(all.end).toBe(64 << 10);
  });
});

describe('byteAt', () => {
  it('turns a place in the text into a byte', () => {
    const [run] = layOut(raw('a€😀'), []).runs;
    expect([0, 1, 2, 4].map((o) => byteAt(run!, o))).toEqual([0, 1, 4, 8]);
  });
  it('takes a symbol whole', () => {
    const [escape] = layOut(raw('\u202e'), []).runs;
    expect([byteAt(escape!, 0), byteAt(escape!, 3), byteAt(escape!, 8)]).toEqual([0, 3, 3]);
  });
});

describe('ownersOf', () => {
  const spans = [span('b', 4, 8), span('a', 0, 3), span('whole', 0, 10)];
  it('names the fields in their order', () => {
    expect(ownersOf(spans, 2, 5)).toEqual({ fields: ['whole', 'a', 'b'], unread: 0 });
  });
  it('counts what nobody read', () => {
    expect(ownersOf(spans.slice(0, 2), 2, 12)).toEqual({ fields: ['a', 'b'], unread: 5 });
    expect(ownersOf([], 3, 9)).toEqual({ fields: [], unread: 6 });
  });
});

it('fields of the same bytes share a hue, neighbours differ', () => {
  const spans = [...Array.from({ length: 12 }, (_, i) => span(`f${i}`, i * 2, i * 2 + 2)), span('twin', 0, 2)];
  const colors = huesOf(spans);
  expect(colors.get('twin')).toBe(colors.get('f0'));
  for (let i = 1; i < 12; i++) expect(colors.get(`f${i}`)).not.toBe(colors.get(`f${i - 1}`));
  expect(Math.max(...colors.values())).toBeLessThan(hues);
  expect([...matesOf(spans, 'twin')].sort()).toEqual(['f0', 'twin']);
  expect(matesOf(spans, undefined).size).toBe(0);
});

it('reads every code point as the platform does', () => {
  for (const code of [0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff]) {
    const bytes = utf8(String.fromCodePoint(code));
    expect(characterAt(bytes, 0)).toEqual({ code, size: bytes.length });
  }
});
