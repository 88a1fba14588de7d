// Content with a pane on its right whose width a person chooses, by mouse or by keyboard.

import { useLocalStorage } from '@mantine/hooks';
import { type KeyboardEvent, type PointerEvent, type ReactNode, useEffect, useRef } from 'react';
import css from './split.module.css';

interface Props {
  children: ReactNode;
  // Nothing hides the pane.
  pane: ReactNode;
  label: string;
  // The width is remembered under this name.
  name: string;
  initial?: number;
  min?: number;
  max?: number;
}

export function SplitPane({ children, pane, label, name, initial = 420, min = 320, max = 760 }: Props) {
  const [width, setWidth] = useLocalStorage({ key: `vedette.pane.${name}`, defaultValue: initial, getInitialValueInEffect: false });
  const from = useRef<{ x: number; width: number } | null>(null);
  const set = (w: number) => setWidth(Math.round(Math.max(min, Math.min(max, w))));
  const main = useRef<HTMLDivElement>(null);
  const held = useRef(false); // the pane has the focus, or had it when it went
  const open = Boolean(pane);
  useEffect(() => {
    if (open || !held.current) return;
    held.current = false;
    main.current?.querySelector<HTMLElement>('[role=grid]')?.focus({ preventScroll: true });
  }, [open]);
  const drag = {
    onPointerDown: (e: PointerEvent<HTMLDivElement>) => {
      e.currentTarget.setPointerCapture(e.pointerId);
      from.current = { x: e.clientX, width };
    },
    onPointerMove: (e: PointerEvent) => from.current && set(from.current.width + from.current.x - e.clientX),
    onPointerUp: () => {
      from.current = null;
    },
    onKeyDown: (e: KeyboardEvent) => {
      if (e.key === 'ArrowLeft') set(width + 24);
      else if (e.key === 'ArrowRight') set(width - 24);
    },
  };
  return (
    <div className={css.split}>
      <div ref={main} className={css.main}>
        {children}
      </div>
      {pane && (
        <>
          <div
            role="separator"
            tabIndex={0}
            aria-orientation="vertical"
            aria-label={`Width of ${label}`}
            aria-valuenow={width}
            aria-valuemin={min}
            aria-valuemax={max}
            className={css.handle}
            {...drag}
          />
          <aside
            className={css.pane}
            style={{ width }}
            aria-label={label}
            onFocus={() => {
              held.current = true;
            }}
            onBlur={(e) => {
              // Nothing takes over from what is removed.
              if (e.relatedTarget) held.current = e.currentTarget.contains(e.relatedTarget);
            }}
          >
            {pane}
          </aside>
        </>
      )}
    </div>
  );
}
