import { bytes, count } from '../ui/age';
import { Badge, OrganizationName } from '../ui/Badge';
import { Sparkline } from '../ui/Sparkline';
import { visible } from '../ui/text';
import type { Column } from '../ui/VirtualTable';
import { compact, type Row, seconds, share } from './figures';
import css from './usage.module.css';

// columnsOf are the table's columns. global: there is more than one organization; modules: each has rows of its own.
export function columnsOf({ global, modules }: { global: boolean; modules: boolean }): Column<Row>[] {
  const columns: (Column<Row> | false)[] = [
    (global || !modules) && { id: 'tenant', header: 'Organization', width: 'minmax(132px, 1.3fr)', cell: (r) => <OrganizationName id={r.tenant} /> },
    modules && { id: 'module', header: 'Module', width: 'minmax(160px, 1.6fr)', cell: (r) => <Who row={r} /> },
    {
      id: 'trend', header: 'Over time', width: '92px',
      cell: (r) => <Sparkline values={r.series} width={78} height={18} label={`Processor time over the period, ${seconds(r.cpu)} in all`} />,
    },
    { id: 'cpu', header: 'CPU time', width: '80px', end: true, sortable: true, cell: (r) => seconds(r.cpu) },
    { id: 'share', header: 'Share', width: '108px', end: true, cell: (r) => <Share part={r.share} /> },
    { id: 'fuel', header: 'Fuel', width: '70px', end: true, sortable: true, cell: (r) => <Figure n={r.fuel} text={compact(r.fuel)} /> },
    { id: 'records', header: 'Records', width: '80px', end: true, sortable: true, cell: (r) => <Figure n={r.records} /> },
    { id: 'events', header: 'Events', width: '80px', end: true, sortable: true, cell: (r) => <Figure n={r.events} /> },
    {
      id: 'errors', header: 'Errors', width: '64px', end: true, sortable: true,
      cell: (r) => (r.skipped > 0 ? <span className={css.warn} title={`${count(r.skipped)} were not handed to it: its quota was used up`}>{count(r.errors)} +{compact(r.skipped)}</span> : <Figure n={r.errors} bad />),
    },
    { id: 'bytesIn', header: 'In', width: '76px', end: true, sortable: true, cell: (r) => <Figure n={r.bytesIn} text={bytes(r.bytesIn)} /> },
    { id: 'storedBytes', header: 'Stored', width: '76px', end: true, sortable: true, cell: (r) => <Figure n={r.storedBytes} text={bytes(r.storedBytes)} /> },
  ]; // prettier-ignore
  return columns.filter((c) => c !== false);
}

function Who({ row: r }: { row: Row }) {
  if (!r.module) {
    return (
      <span className="dim" title="Its part of what the host’s stages took: by bytes to receive, queue and store, by events to parse, detect and correlate">
        the host, for its records
      </span>
    );
  }
  return (
    <span className={css.who}>
      <span className="mono cut">{visible(r.module)}</span>
      {!r.shared && <Badge title="It runs for this organization only">own</Badge>}
    </span>
  );
}

function Share({ part }: { part: number }) {
  return (
    <span className={css.share}>
      <i style={{ '--part': `${Math.min(100, 100 * part)}%` } as object} aria-hidden="true" />
      {share(part)}
    </span>
  );
}

function Figure({ n, text, bad }: { n: number; text?: string; bad?: boolean }) {
  if (n === 0) return <span className="dim">–</span>;
  return (
    <span className={bad ? css.bad : undefined} title={text ? count(n) : undefined}>
      {text ?? count(n)}
    </span>
  );
}
