import { useOrganization } from '../app/organization';
import { Badge, OrganizationName } from '../ui/Badge';
import { Age } from '../ui/Age';
import { count } from '../ui/age';
import { Severity } from '../ui/Severity';
import { visible } from '../ui/text';
import type { Column } from '../ui/VirtualTable';
import type { Row } from '../live/row';
import css from './queue.module.css';

interface Looks {
  // In pixels.
  width: number;
  // Rows of several organizations are shown.
  global: boolean;
  demo: ReadonlySet<number>;
  isSelected: (id: string) => boolean;
  toggle: (id: string) => void;
}

// columns returns what fits into the width: the title keeps at least half of it.
export function columns({ width, global, demo, isSelected, toggle }: Looks): Column<Row>[] {
  const organization = global && width > 860; // else its colour stands before the title
  const all: (Column<Row> | false)[] = [
    {
      id: 'select',
      header: <span className="unseen">Selected</span>,
      width: '28px',
      cell: (r) => <Select row={r} isSelected={isSelected} toggle={toggle} />,
    },
    { id: 'severity', header: 'Severity', width: '94px', sortable: true, cell: (r) => <Severity value={r.severity} /> },
    {
      id: 'title',
      header: 'Incident',
      width: 'minmax(180px, 1fr)',
      cell: (r) => <Title row={r} demo={demo.has(r.tenant)} organization={global && !organization} />,
    },
    width > 560 && { id: 'host', header: 'Host', width: width > 1060 ? '150px' : '104px', cell: (r) => <Hosts values={r.hosts} /> },
    organization && { id: 'organization', header: 'Organization', width: width > 1060 ? '180px' : '112px', cell: (r) => <OrganizationName id={r.tenant} /> },
    { id: 'count', header: 'Count', width: '66px', end: true, sortable: true, cell: (r) => count(r.count) },
    { id: 'opened', header: 'Age', width: '54px', end: true, sortable: true, cell: (r) => <Age at={r.opened} short /> },
    width > 1060 && { id: 'last', header: 'Last seen', width: '80px', end: true, sortable: true, cell: (r) => <Age at={r.lastSeen} short /> },
    width > 700 && { id: 'assignee', header: 'Assignee', width: '88px', cell: (r) => r.incident.assignee || <span className={css.faint}>–</span> },
  ];
  return all.filter((c) => c !== false);
}

function Select({ row, isSelected, toggle }: { row: Row; isSelected: (id: string) => boolean; toggle: (id: string) => void }) {
  return (
    <input
      type="checkbox"
      tabIndex={-1}
      className={css.check}
      aria-label={`Select ${visible(row.title)}`}
      checked={isSelected(row.id)}
      onClick={(e) => e.stopPropagation()}
      onChange={() => toggle(row.id)}
    />
  );
}

// Title has the organization's colour where there is no column for its name.
function Title({ row, demo, organization }: { row: Row; demo: boolean; organization: boolean }) {
  const { color, name } = useOrganization();
  return (
    <span className={css.title}>
      {organization && (
        <i style={{ background: color(row.tenant) }} title={name(row.tenant)}>
          <span className="unseen">{name(row.tenant)}</span>
        </i>
      )}
      <span className="cut" title={visible(row.title)}>
        {visible(row.title)}
      </span>
      {row.state !== 'open' && <Badge tone={row.state === 'resolved' ? 'ok' : 'accent'}>{row.state === 'resolved' ? (row.incident.verdict || 'resolved').replaceAll('_', ' ') : 'ack'}</Badge>}
      {demo && <Badge title="Made by the demo feed">demo</Badge>}
    </span>
  );
}

const short = (host: string): string => (/^[\d.]+$|:/.test(host) ? host : host.split('.')[0]!);

// Hosts shows the first of several, without its domain, and how many more there are.
function Hosts({ values }: { values: readonly string[] }) {
  if (values.length === 0) return <span className={css.faint}>–</span>;
  return (
    <span title={values.map(visible).join(', ')}>
      {visible(short(values[0]!))}
      {values.length > 1 && <span className="dim"> +{values.length - 1}</span>}
    </span>
  );
}
