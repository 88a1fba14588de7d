// A frame for a chart that can be read as a table as well.

import { ActionIcon, Tooltip } from '@mantine/core';
import { IconChartBar, IconTable } from '@tabler/icons-react';
import { type ReactNode, Suspense } from 'react';
import { count } from '../ui/age';
import { Panel } from '../ui/Layout';
import css from './dashboard.module.css';

export interface Table {
  head: readonly string[];
  // The first cell names the row; numbers stand at the right.
  rows: readonly { key: string; cells: readonly (ReactNode | number)[]; onOpen?: () => void; name: string }[];
}

interface Props {
  id: string;
  title: string;
  // Beside the title: a total, a legend.
  note?: ReactNode;
  chart: ReactNode;
  table: () => Table;
  tables: readonly string[];
  onTables: (ids: string[]) => void;
  className?: string | undefined;
}

export function Widget({ id, title, note, chart, table, tables, onTables, className }: Props) {
  const asTable = tables.includes(id);
  const other = asTable ? 'as a chart' : 'as a table';
  return (
    <Panel
      className={[css.widget, className].filter(Boolean).join(' ')}
      title={title}
      actions={
        <>
          {note}
          <Tooltip label={`Show ${other}`}>
            <ActionIcon
              size="sm"
              aria-label={`${title} ${other}`}
              onClick={() => onTables(asTable ? tables.filter((t) => t !== id) : [...tables, id])}
            >
              {asTable ? <IconChartBar size={15} /> : <IconTable size={15} />}
            </ActionIcon>
          </Tooltip>
        </>
      }
    >
      {asTable ? <Values label={title} {...table()} /> : <Suspense>{chart}</Suspense>}
    </Panel>
  );
}

function Values({ label, head, rows }: Table & { label: string }) {
  return (
    <div className={css.scroll} tabIndex={0} role="region" aria-label={`${label}, table`}>
      <table className={css.table}>
        <thead>
          <tr>
            {head.map((h, i) => (
              <th key={h} scope="col" data-end={i > 0 || undefined}>
                {h}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((r) => (
            <tr key={r.key}>
              {r.cells.map((c, i) => (
                <td key={i} data-end={i > 0 || undefined}>
                  {i === 0 && r.onOpen ? (
                    <button type="button" onClick={r.onOpen}>
                      {c}
                    </button>
                  ) : typeof c === 'number' ? (
                    count(c)
                  ) : (
                    c
                  )}
                </td>
              ))}
            </tr>
          ))}
          {rows.length === 0 && (
            <tr>
              <td colSpan={head.length} className="dim">
                Nothing yet in this time.
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}
