// A table of any length with the DOM of one screen. Keyboard focus stays on the table itself and
// aria-activedescendant names the row, so that focus is never lost when rows come, go or scroll away.

import { defaultRangeExtractor, type Range, useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, memo, type MouseEvent, type ReactNode, type Ref, useCallback, useEffect, useId, useImperativeHandle, useRef } from 'react';
import css from './table.module.css';

export interface Column<T> {
  id: string;
  header: ReactNode;
  // A track of a CSS grid: "90px", "minmax(160px, 2fr)".
  width: string;
  cell: (row: T) => ReactNode;
  end?: boolean;
  sortable?: boolean;
}

export interface Sort {
  by: string;
  descending: boolean;
}

export interface TableHandle {
  focus: () => void;
  scrollTo: (index: number) => void;
}

interface Props<T> {
  label: string;
  rows: readonly T[];
  keyOf: (row: T) => string;
  columns: readonly Column<T>[];
  active?: string | undefined;
  onActive?: (key: string, row: T) => void;
  // A double click, or Enter.
  onOpen?: (row: T) => void;
  // A click, after onActive.
  onClick?: (row: T) => void;
  // The menu of a row, asked for by the right button or by its key, at a place of the window.
  onMenu?: (row: T, at: { x: number; y: number }) => void;
  selected?: ReadonlySet<string>;
  // Words that style a row: data-tone.
  toneOf?: (row: T) => string | undefined;
  sort?: Sort;
  onSort?: (by: string) => void;
  rowHeight?: number;
  empty?: ReactNode;
  onScroll?: (top: number) => void;
  handle?: Ref<TableHandle>;
}

const headHeight = 30; // pixels

export function VirtualTable<T>(props: Props<T>) {
  const { rows, keyOf, columns, active, selected, rowHeight = 34 } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const id = useId();
  const at = active === undefined ? -1 : rows.findIndex((r) => keyOf(r) === active);
  // The active row is always there, for aria-activedescendant to name it.
  const rangeExtractor = useCallback(
    (range: Range) => {
      const shown = defaultRangeExtractor(range);
      if (at < 0 || shown.includes(at)) return shown;
      return at < shown[0]! ? [at, ...shown] : [...shown, at];
    },
    [at],
  );
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    // The head covers what is above, and pushes what is below down.
    scrollPaddingStart: headHeight,
    scrollPaddingEnd: headHeight,
    rangeExtractor,
  });
  useImperativeHandle(props.handle, () => ({
    focus: () => scroller.current?.focus({ preventScroll: true }),
    scrollTo: (index: number) => virtual.scrollToIndex(index),
  }));
  // The row follows the keyboard, not the other way round: rows that move do not scroll the table.
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at, { align: 'auto' });
    // Only when another row becomes active, or the active one comes in.
  }, [active, at >= 0]);

  const go = (to: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, to))];
    if (row !== undefined) props.onActive?.(keyOf(row), row);
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.target !== e.currentTarget || e.altKey || e.ctrlKey || e.metaKey) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 2);
    const to: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: rows.length - 1 };
    if (e.key in to && !e.shiftKey) go(to[e.key]!);
    else if (e.key === 'Enter' && at >= 0 && props.onOpen) props.onOpen(rows[at]!);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  const onContextMenu = (e: MouseEvent) => {
    const line = (e.target as Element).closest('[role=row][data-index]');
    const index = line ? Number(line.getAttribute('data-index')) : at;
    const row = rows[index];
    if (!props.onMenu || row === undefined) return;
    e.preventDefault();
    go(index);
    const box = (line ?? document.getElementById(id + keyOf(row)))?.getBoundingClientRect();
    props.onMenu(row, line || !box ? { x: e.clientX, y: e.clientY } : { x: box.left + 24, y: box.bottom });
  };
  const template = columns.map((c) => c.width).join(' ');
  return (
    <div
      ref={scroller}
      className={css.scroller}
      role="grid"
      tabIndex={0}
      aria-label={props.label}
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length}
      aria-multiselectable={selected ? true : undefined}
      aria-activedescendant={at >= 0 ? `${id}${active}` : undefined}
      onKeyDown={onKeyDown}
      onContextMenu={props.onMenu && onContextMenu}
      onScroll={(e) => props.onScroll?.(e.currentTarget.scrollTop)}
    >
      <div className={css.head} role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
        {columns.map((c) => (
          <Head key={c.id} column={c} sort={props.sort} onSort={props.onSort} />
        ))}
      </div>
      {rows.length === 0 && props.empty !== undefined ? (
        <div role="row" aria-rowindex={2}>
          <div role="gridcell">{props.empty}</div>
        </div>
      ) : (
        <div role="rowgroup" className={css.body} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((v) => {
            const row = rows[v.index]!;
            const key = keyOf(row);
            return (
              <Line
                key={key}
                id={id + key}
                row={row as never}
                index={v.index}
                top={v.index * rowHeight}
                height={rowHeight}
                template={template}
                columns={columns as never}
                active={key === active}
                selected={selected?.has(key)}
                tone={props.toneOf?.(row)}
                onActive={props.onActive as never}
                onOpen={props.onOpen as never}
                onClick={props.onClick as never}
                rowKey={key}
              />
            );
          })}
        </div>
      )}
    </div>
  );
}

function Head<T>({ column, sort, onSort }: { column: Column<T>; sort: Sort | undefined; onSort: ((by: string) => void) | undefined }) {
  const sorted = sort?.by === column.id;
  return (
    <div role="columnheader" className={css.cell} data-end={column.end || undefined} aria-sort={sorted ? (sort.descending ? 'descending' : 'ascending') : undefined}>
      {column.sortable && onSort ? (
        <button type="button" onClick={() => onSort(column.id)} data-sorted={sorted || undefined}>
          {column.header}
          <span aria-hidden="true">{sorted ? (sort.descending ? '↓' : '↑') : ''}</span>
        </button>
      ) : (
        column.header
      )}
    </div>
  );
}

interface LineProps {
  id: string;
  row: unknown;
  rowKey: string;
  index: number;
  top: number;
  height: number;
  template: string;
  columns: readonly Column<unknown>[];
  active: boolean;
  selected: boolean | undefined;
  tone: string | undefined;
  onActive: ((key: string, row: unknown) => void) | undefined;
  onOpen: ((row: unknown) => void) | undefined;
  onClick: ((row: unknown) => void) | undefined;
}

// Line is drawn again only when its own row, place or marks change.
const Line = memo(function Line(p: LineProps) {
  return (
    <div
      id={p.id}
      role="row"
      className={css.row}
      aria-rowindex={p.index + 2}
      data-index={p.index}
      aria-selected={p.selected ?? p.active}
      data-active={p.active || undefined}
      data-selected={p.selected || undefined}
      data-tone={p.tone}
      style={{ gridTemplateColumns: p.template, height: p.height, transform: `translateY(${p.top}px)` }}
      onClick={() => {
        p.onActive?.(p.rowKey, p.row);
        p.onClick?.(p.row);
      }}
      onDoubleClick={() => p.onOpen?.(p.row)}
    >
      {p.columns.map((c) => (
        <div key={c.id} role="gridcell" className={css.cell} data-end={c.end || undefined}>
          {c.cell(p.row)}
        </div>
      ))}
    </div>
  );
});
