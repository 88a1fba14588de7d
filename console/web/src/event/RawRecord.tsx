// A record as received, with every byte coloured by the field that was read from it.

import { Button } from '@mantine/core';
import { type KeyboardEvent, memo, type MouseEvent, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { bytes, count } from '../ui/age';
import { RawText } from '../ui/RawText';
import { byteAt, huesOf, layOut, limits, type Run, type Span, textOf } from './bytes';
import css from './event.module.css';

// Range is a range of bytes [from, to) of a record.
export interface Range {
  readonly from: number;
  readonly to: number;
}

interface Props {
  raw: Uint8Array;
  spans: readonly Span[];
  // The field whose bytes are lit, and what tells that the pointer is over a field's bytes.
  lit?: string | undefined;
  onLit?: (field: string | undefined) => void;
  // Scrolls the lit bytes into view.
  reveal?: boolean;
  selected?: Range | undefined;
  onSelect?: (range: Range | undefined) => void;
  label?: string;
}

const everything = { bytes: Infinity, runs: 20_000 };
const first = { bytes: 2 << 10, runs: 400 }; // about what can be seen without scrolling

// A long record is thousands of pieces. Those in sight come at once, the others when nothing else is to be done.
export function RawRecord({ raw, spans: given, lit, onLit, reveal = false, selected, onSelect, label = 'Record as received' }: Props) {
  const [all, setAll] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const spans = useDeferredValue(given);
  const most = useDeferredValue(all ? everything : limits, raw.length > first.bytes ? first : limits);
  const { runs, end } = useMemo(() => layOut(raw, spans, most), [raw, spans, most]);
  const colors = useMemo(() => huesOf(spans), [spans]);
  const [cursor, setCursor] = useState<{ anchor: number; at: number }>();

  useEffect(() => setCursor(undefined), [runs]);
  useEffect(() => {
    if (reveal && lit) show(box.current, box.current?.querySelector('[data-lit]'));
  }, [reveal, lit]);
  useEffect(() => {
    if (!onSelect) return;
    const changed = () => {
      const range = rangeOf(box.current, runs, document.getSelection());
      if (range) onSelect(range);
    };
    document.addEventListener('selectionchange', changed);
    return () => document.removeEventListener('selectionchange', changed);
  }, [runs, onSelect]);

  // The arrows go from one run to the next; with Shift they take in more of them.
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.altKey || e.ctrlKey || e.metaKey || runs.length === 0) return;
    if (e.key === 'Escape' && selected) {
      setCursor(undefined);
      onSelect?.(undefined);
    } else {
      const now = cursor?.at ?? (e.key === 'ArrowLeft' ? runs.length : -1);
      const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: runs.length - 1 }[e.key];
      if (to === undefined) return;
      const at = Math.max(0, Math.min(runs.length - 1, to));
      const anchor = e.shiftKey && cursor ? cursor.anchor : at;
      setCursor({ anchor, at });
      onLit?.(runs[at]!.fields[0]);
      onSelect?.({ from: runs[Math.min(anchor, at)]!.start, to: runs[Math.max(anchor, at)]!.end });
      show(box.current, box.current?.children[at]);
    }
    e.preventDefault();
    e.stopPropagation();
  };
  const onMouseOver = (e: MouseEvent) => onLit?.(runs[indexOf(e.target as Node)]?.fields[0]);

  return (
    <div className={css.record}>
      <div
        ref={box}
        className={css.bytes}
        role="textbox"
        aria-readonly="true"
        aria-multiline="true"
        aria-label={`${label}, ${count(raw.length)} bytes. Arrow keys go from field to field.`}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onMouseOver={onMouseOver}
        onMouseLeave={() => onLit?.(undefined)}
        onMouseDown={() => onSelect?.(undefined)}
      >
        {runs.map((run, i) => (
          <Piece
            key={run.start}
            index={i}
            run={run}
            hue={run.fields.length > 0 ? colors.get(run.fields[0]!) : undefined}
            lit={lit !== undefined && run.fields.includes(lit)}
            selected={selected !== undefined && run.start >= selected.from && run.end <= selected.to}
          />
        ))}
        {most === everything && end < raw.length && <RawText text={textOf(raw.subarray(end))} />}
        {raw.length === 0 && <span className="dim">The record is empty.</span>}
      </div>
      {most !== first && end < raw.length && (
        <div className={css.more}>
          {most === everything ? `Colours end after ${bytes(end)}: what follows has too many pieces.` : `The first ${bytes(end)} of ${bytes(raw.length)} are shown.`}
          {most !== everything && (
            <Button size="compact-xs" variant="subtle" loading={all} onClick={() => setAll(true)}>
              Show everything
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

interface PieceProps {
  index: number;
  run: Run;
  hue: number | undefined;
  lit: boolean;
  selected: boolean;
}

// Piece is drawn again only when it is lit, selected, or laid out anew.
const Piece = memo(function Piece({ index, run, hue, lit, selected }: PieceProps) {
  return (
    <span
      data-run={index}
      data-kind={run.kind === 'text' ? undefined : run.kind}
      data-owned={hue === undefined ? undefined : ''}
      data-lit={lit || undefined}
      data-selected={selected || undefined}
      title={run.fields.length > 0 ? run.fields.join(', ') : undefined}
      style={hue === undefined ? undefined : ({ '--hue': `var(--org-${hue})` } as object)}
    >
      {run.text}
    </span>
  );
});

// show scrolls the record alone: moving the page would take what is pointed at from under the pointer.
function show(box: HTMLElement | null, piece: Element | null | undefined): void {
  if (!box || !piece) return;
  const frame = box.getBoundingClientRect();
  const own = piece.getBoundingClientRect();
  if (own.top < frame.top || own.bottom > frame.bottom) box.scrollTop += own.top - frame.top - frame.height / 3;
}

function indexOf(node: Node | null): number {
  const element = node instanceof Element ? node : node?.parentElement;
  const run = element?.closest<HTMLElement>('[data-run]');
  return run ? Number(run.dataset.run) : -1;
}

// rangeOf returns the bytes that a person has marked with the pointer; undefined when nothing of the record is.
function rangeOf(box: HTMLElement | null, runs: readonly Run[], selection: Selection | null): Range | undefined {
  if (!box || !selection || selection.isCollapsed || selection.rangeCount === 0) return undefined;
  const { startContainer, startOffset, endContainer, endOffset } = selection.getRangeAt(0);
  if (!box.contains(startContainer) || !box.contains(endContainer)) return undefined;
  const byte = (node: Node, offset: number): number => {
    const run = runs[indexOf(node)];
    if (run) return byteAt(run, node.nodeType === Node.TEXT_NODE ? offset : offset > 0 ? run.text.length : 0);
    return runs[offset]?.start ?? runs.at(-1)?.end ?? 0; // the box itself: offset counts runs
  };
  const from = byte(startContainer, startOffset);
  const to = byte(endContainer, endOffset);
  return to > from ? { from, to } : undefined;
}
