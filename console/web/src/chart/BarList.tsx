// Words and how much there is of each, as bars that can be read as text.

import type { ReactNode } from 'react';
import { count } from '../ui/age';
import { visible } from '../ui/text';
import css from './chart.module.css';

export interface Bar {
  key: string;
  label: ReactNode;
  title: string;
  // One part for each colour.
  parts: readonly { name: string; value: number; color: string }[];
}

interface Props {
  bars: readonly Bar[];
  label: string;
  onOpen?: (key: string) => void;
  // Colours beside the words instead of bars: for what another chart draws.
  legend?: boolean;
  format?: (n: number) => string;
}

export function BarList({ bars, label, onOpen, legend = false, format = count }: Props) {
  const sums = bars.map((b) => b.parts.reduce((sum, p) => sum + Math.max(0, p.value), 0));
  const highest = Math.max(...sums, 0) || 1;
  return (
    <ol className={css.bars} aria-label={label} data-legend={legend || undefined}>
      {bars.map((b, i) => {
        const inside = (
          <>
            <span className="cut">{b.label}</span>
            <span className={css.track} aria-hidden="true">
              {b.parts.map((p) => (
                <i key={p.name} style={{ width: `${(Math.max(0, p.value) / highest) * 100}%`, background: `var(${p.color})` }} title={`${visible(p.name)}: ${format(p.value)}`} />
              ))}
            </span>
            <span className="number">{format(sums[i]!)}</span>
          </>
        );
        return (
          <li key={b.key} title={b.title}>
            {onOpen ? (
              <button type="button" onClick={() => onOpen(b.key)}>
                {inside}
              </button>
            ) : (
              <div>{inside}</div>
            )}
          </li>
        );
      })}
    </ol>
  );
}
