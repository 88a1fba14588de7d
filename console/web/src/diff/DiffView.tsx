// The lines of a difference, of any length with the DOM of one screen.

import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useMemo, useRef, useState } from 'react';
import { useHotkeys } from '../app/keys';
import { count } from '../ui/age';
import { pieces } from '../ui/text';
import { type Hunk, type Line, type Row, rowsOf, wordsOf } from './diff';
import css from './diff.module.css';

interface Props {
  hunks: readonly Hunk[];
  // Lines of the newer text; undefined while it is not here.
  text: readonly string[] | undefined;
  open: ReadonlySet<string>;
  toggle: (fold: string) => void;
  sides: boolean;
}

const height = 19; // pixels of a line that is not wrapped

export function DiffView({ hunks, text, open, toggle, sides }: Props) {
  const rows = useMemo(() => rowsOf({ hunks, text, open, sides }), [hunks, text, open, sides]);
  const scroller = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(-1);
  const changes = useMemo(() => rows.reduce((n, r) => (r.kind === 'fold' ? n : Math.max(n, r.change + 1)), 0), [rows]);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: (i) => (rows[i]?.kind === 'fold' ? 24 : height), overscan: 20, scrollPaddingStart: 60 });
  useEffect(() => setAt(-1), [hunks]);
  const go = (to: number) => {
    if (to < 0 || to >= changes) return;
    setAt(to);
    virtual.scrollToIndex(rows.findIndex((r) => r.kind !== 'fold' && r.change === to), { align: 'start' });
  };
  useHotkeys('Lines', [
    { keys: 'n', label: 'Next change', run: () => go(at + 1) },
    { keys: 'p', label: 'Change before', run: () => go(at - 1) },
  ]);
  return (
    <div ref={scroller} className={css.lines} tabIndex={0} role="table" aria-label={sides ? 'Difference, side by side' : 'Difference'} aria-rowcount={rows.length}>
      <div role="rowgroup" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((v) => {
          const row = rows[v.index]!;
          return (
            <div
              key={v.key}
              ref={virtual.measureElement}
              data-index={v.index}
              data-at={(row.kind !== 'fold' && row.change >= 0 && row.change === at) || undefined}
              data-sides={row.kind === 'pair' || undefined}
              data-fold={row.kind === 'fold' || undefined}
              className={css.row}
              role="row"
              aria-rowindex={v.index + 1}
              style={{ transform: `translateY(${v.start}px)` }}
            >
              <Cells row={row} canOpen={text !== undefined} toggle={toggle} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

const Cells = memo(function Cells({ row, canOpen, toggle }: { row: Row; canOpen: boolean; toggle: (fold: string) => void }) {
  if (row.kind === 'fold') {
    const label = `${count(row.lines)} unchanged ${row.lines === 1 ? 'line' : 'lines'}`;
    return (
      <div role="cell">
        <button type="button" disabled={!canOpen} onClick={() => toggle(row.key)} style={{ width: '100%' }}>
          ⋯ {label}
        </button>
      </div>
    );
  }
  if (row.kind === 'pair') {
    return (
      <>
        <Number n={row.left?.a} />
        <Code line={row.left} mate={row.change < 0 ? undefined : row.right} />
        <Number n={row.right?.b} />
        <Code line={row.right} mate={row.change < 0 ? undefined : row.left} />
      </>
    );
  }
  return (
    <>
      <Number n={row.line.a} />
      <Number n={row.line.b} />
      <Code line={row.line} mate={row.mate} />
    </>
  );
});

const Number = ({ n }: { n: number | undefined }) => (
  <span role="cell" className={css.gutter}>
    {n || ''}
  </span>
);

const signs = { same: ' ', add: '+', del: '−' } as const;
const said = { same: '', add: 'added: ', del: 'removed: ' } as const;

function Code({ line, mate }: { line: Line | undefined; mate: Line | undefined }) {
  if (!line) return <span role="cell" className={css.code} data-kind="none" data-sign="" />;
  return (
    <span role="cell" className={css.code} data-kind={line.kind} data-sign={signs[line.kind]}>
      {said[line.kind] && <span className="unseen">{said[line.kind]}</span>}
      {wordsOf(line.text, mate?.text).map((w, i) => (w.changed ? <mark key={i}><Text text={w.text} /></mark> : <Text key={i} text={w.text} />))}
    </span>
  ); // prettier-ignore
}

// Text shows what a device has written: control characters as symbols.
const Text = ({ text }: { text: string }) => <>{pieces(text, true).map((p, i) => (p.control ? <i key={i}>{p.text}</i> : p.text))}</>;
