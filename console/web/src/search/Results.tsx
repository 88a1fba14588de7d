// What a search found, in the view that was chosen, with how far it has come.

import { Button, SegmentedControl } from '@mantine/core';
import { IconClockPlus, IconSearchOff } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { count, plural } from '../ui/age';
import { Spring } from '../ui/Layout';
import { EmptyState, ErrorBox } from '../ui/States';
import { ColumnPicker } from './ColumnPicker';
import { columnsOf, toParam } from './columns';
import { EventList } from './EventList';
import { EventTable } from './EventTable';
import { Export } from './Export';
import { examples } from './params';
import css from './search.module.css';
import { Statistics } from './Statistics';
import { stamp, timeOfDay } from './time';
import { rowLimit, type SearchPage } from './useSearchPage';

export function Results({ page, open }: { page: SearchPage; open: (id: string) => void }) {
  const { params, set, result, asked, table } = page;
  const columns = columnsOf(params.cols);
  const failed = result.status === 'failed';
  return (
    <div className={css.results}>
      <h2 className="unseen">Results</h2>
      <div className={css.resultHead}>
        <Progress page={page} />
        <Spring />
        {!table && (
          <SegmentedControl aria-label="View" value={params.view} onChange={(view) => set({ view })} data={[{ value: 'table', label: 'Table' }, { value: 'json', label: 'JSON' }, { value: 'raw', label: 'Raw' }]} />
        )}
        {!table && params.view === 'table' && <ColumnPicker columns={columns} asked={asked} onChange={(cols) => set({ cols: toParam(cols) })} />}
        <Export asked={asked} columns={columns} disabled={result.rows.length === 0} />
      </div>
      {failed && (
        <div className={css.pad}>
          <ErrorBox error={result.error} doing="Search" retry={() => page.run()} />
          <p className={css.hint}>{advice(String(result.error))}</p>
        </div>
      )}
      <div className={css.resultBody} data-old={(result.status === 'running' && result.rows.length > 0 && result.covered === 0) || undefined}>
        <View page={page} columns={columns} open={open} />
      </div>
    </div>
  );
}

// advice says what to change in a search that the host did not finish.
function advice(error: string): string {
  if (/exhausted|deadline|too long|limit/i.test(error)) return 'Search a shorter time, or ask for less: a condition on event.dataset or host.name is answered fastest.';
  if (/invalid/i.test(error)) return 'The place that could not be read is underlined in the query.';
  return 'The query and its time are kept above; nothing is lost by trying again.';
}

function View({ page, columns, open }: { page: SearchPage; columns: readonly string[]; open: (id: string) => void }) {
  const { params, result, asked, table } = page;
  const { rows } = result;
  if (rows.length === 0) return result.status === 'done' ? <NothingFound page={page} /> : null;
  if (table) return <Statistics key={asked.text} rows={rows} zone={params.zone} />;
  const common = { rows, zone: params.zone, active: params.event, onOpen: open };
  if (params.view === 'json' || params.view === 'raw') return <EventList key={params.view} {...common} json={params.view === 'json'} />;
  return <EventTable {...common} columns={columns} days={(asked.to ?? Date.now()) - asked.from > 20 * 3_600_000} />;
}

function Progress({ page }: { page: SearchPage }) {
  const { result, asked, cancel, params, table } = page;
  const { status, rows, covered, truncated, took } = result;
  const what = table ? plural(rows.length, 'line') : plural(rows.length, 'event');
  if (status === 'running') {
    const to = asked.to ?? Date.now();
    const share = covered ? Math.max(0.03, Math.min(1, (to - covered) / (to - asked.from))) : 0.03;
    return (
      <span className={css.progress} role="status">
        <span className={css.progressBar} aria-hidden="true">
          <i style={{ transform: `scaleX(${share})` }} />
        </span>
        <span className="number">{covered ? `covered to ${stamp(covered, params.zone).slice(5)}, ${what}` : 'searching…'}</span>
        <Button size="compact-xs" variant="default" onClick={cancel}>
          Cancel
        </Button>
      </span>
    );
  }
  if (status === 'cancelled') return <Said tone="warn">Cancelled: {what} of {covered ? `what came after ${stamp(covered, params.zone)}` : 'the newest'}</Said>;
  if (status !== 'done') return <Said>&nbsp;</Said>;
  return (
    <Said>
      <b>{what}</b>
      {truncated ? <>, the newest ones{covered > 0 && <> back to {timeOfDay(covered, params.zone).slice(0, 8)}</>}</> : ''} <span className="dim">in {took < 1_000 ? `${took} ms` : `${(took / 1_000).toFixed(1)} s`}</span>
      {truncated && asked.limit < rowLimit * 10 && (
        <Button size="compact-xs" variant="default" ml={8} onClick={() => page.more(rowLimit * 10)}>
          Show {count(rowLimit * 10)}
        </Button>
      )}
    </Said>
  );
}

const Said = ({ tone, children }: { tone?: string; children: ReactNode }) => (
  <span className={`${css.said} number`} data-tone={tone} role="status">
    {children}
  </span>
);

function NothingFound({ page }: { page: SearchPage }) {
  const wide = page.params.from === '' && page.params.range === '7d';
  return (
    <div className={css.nothing}>
      <EmptyState
        icon={<IconSearchOff size={28} aria-hidden="true" />}
        title="Nothing was found in this time"
        actions={
          !wide && (
            <Button variant="default" leftSection={<IconClockPlus size={14} aria-hidden="true" />} onClick={() => page.run({ range: page.params.range === '24h' ? '7d' : '24h', from: '', to: '' })}>
              Search the last {page.params.range === '24h' ? '7 days' : '24 hours'}
            </Button>
          )
        }
      >
        Words look in the record as it came; field:="value" looks for exactly this value, field:part for words in it. These find something in most systems:
      </EmptyState>
      <ul className={css.examples}>
        {examples.map((e) => (
          <li key={e.text}>
            <button type="button" onClick={() => page.run({ q: e.text })}>
              <span>{e.what}</span>
              <code>{e.text}</code>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
