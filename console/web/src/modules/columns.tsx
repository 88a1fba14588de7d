import { Switch } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { ConformanceBadge, installing, type useUpdates } from '../catalogue';
import { Age } from '../ui/Age';
import { count } from '../ui/age';
import { Badge, OrganizationName } from '../ui/Badge';
import { visible } from '../ui/text';
import type { Column } from '../ui/VirtualTable';
import css from './modules.module.css';
import type { Row } from './rows';
import { amount, capabilityWords, shortDigest } from './words';

interface Config {
  // Whose each row is, is of interest.
  global: boolean;
  // Pixels.
  width: number;
  switchTo: (r: Row, on: boolean) => void;
  // What there is newer than the version of a row.
  updates: ReturnType<typeof useUpdates>;
  // Why a row cannot be switched; empty when it can.
  whyNot: (r: Row) => string;
}

export function columnsOf({ global, width, switchTo, updates, whyNot }: Config): Column<Row>[] {
  const wide = width > 900;
  const columns: (Column<Row> | false)[] = [
    {
      id: 'name', header: 'Module', width: 'minmax(150px, 2fr)', sortable: true,
      cell: (r) => (
        <span className={css.name} title={visible(r.module.title)}>
          <span className="mono cut">{visible(r.module.name)}</span>
          {r.module.use?.suspended && <Badge tone="bad" title={visible(r.module.use.suspended)}>suspended</Badge>}
          {r.module.resting && <Badge tone="warn" title={visible(r.module.resting)}>resting</Badge>}
        </span>
      ),
    },
    wide && { id: 'kind', header: 'Kind', width: '66px', sortable: true, cell: (r) => <span className="dim">{r.module.kind || '?'}</span> },
    { id: 'version', header: 'Version', width: wide ? '108px' : '62px', cell: (r) => <Version row={r} update={wide ? updates(r.module) : undefined} /> },
    wide && {
      id: 'digest', header: 'Digest', width: '96px',
      cell: (r) => <span className="mono dim" title={r.module.digest}>{shortDigest(r.module.digest)}</span>,
    },
    wide && { id: 'publisher', header: 'Trust', width: '88px', cell: (r) => <Trust publisher={r.module.publisher} /> },
    wide && { id: 'conformance', header: 'ABI', width: '52px', cell: (r) => <ConformanceBadge conformance={r.module.conformance} /> },
    wide && {
      id: 'capabilities', header: 'May', width: 'minmax(70px, 0.7fr)',
      cell: (r) => <span className="dim" title={capabilityWords(r.module.capabilities)}>{capabilityWords(r.module.capabilities) || 'only read'}</span>,
    },
    global && { id: 'org', header: 'For', width: wide ? 'minmax(84px, 0.7fr)' : '96px', cell: (r) => (r.module.tenant ? <OrganizationName id={r.module.tenant} /> : <span className="dim">all</span>) },
    { id: 'records', header: 'Records', width: '76px', end: true, sortable: true, cell: (r) => <Figure value={r.records} text={count(r.records)} known={r.module.use !== undefined} /> },
    { id: 'fuel', header: 'Fuel/rec.', width: '72px', end: true, sortable: true, cell: (r) => <Figure value={r.fuelPerRecord} text={amount(r.fuelPerRecord)} known={r.module.use !== undefined} /> },
    { id: 'errors', header: 'Errors', width: '58px', end: true, sortable: true, cell: (r) => <Figure value={r.errors} text={count(r.errors)} known={r.module.use !== undefined} bad /> },
    wide && { id: 'instances', header: 'Inst.', width: '44px', end: true, cell: (r) => (r.module.instances ? r.module.instances : <span className="dim">–</span>) },
    { id: 'swap', header: 'Last swap', width: '74px', end: true, sortable: true, cell: (r) => <span className="dim"><Age at={r.activated} short /></span> },
    {
      id: 'on', header: 'On', width: '52px', end: true,
      cell: (r) => (
        <Switch
          className={css.switch}
          size="xs"
          tabIndex={-1} // with the keyboard it is the details' switch, not one more stop for each module
          aria-label={`${r.module.name} is on`}
          checked={r.module.enabled}
          disabled={whyNot(r) !== ''}
          title={whyNot(r)}
          onClick={(e) => e.stopPropagation()}
          onChange={(e) => switchTo(r, e.currentTarget.checked)}
        />
      ),
    },
  ]; // prettier-ignore
  return columns.filter((c) => c !== false);
}

// Version names the one that runs, with a way to a newer one.
function Version({ row: { module: m }, update }: { row: Row; update: ReturnType<ReturnType<typeof useUpdates>> }) {
  if (!update) return <span className="number">{visible(m.version)}</span>;
  const title = `${visible(update.version)} is ${update.channel ? `what the channel ${update.channel} names` : 'the newest release'}: see what it would change`;
  return (
    <span className="number">
      {visible(m.version)}{' '}
      <Link {...installing(update.reference, update.tenant)} className={css.update} title={title} tabIndex={-1} onClick={(e) => e.stopPropagation()}>
        → {visible(update.version)}
      </Link>
    </span>
  );
}

function Figure({ value, text, known, bad }: { value: number; text: string; known: boolean; bad?: boolean }) {
  if (!known) return <span className="dim" title="Only an admin sees what a shared module does: it counts all organizations.">–</span>; // prettier-ignore
  if (value === 0) return <span className="dim">0</span>;
  return <span className={bad ? css.bad : undefined}>{text}</span>;
}

// Trust says who vouches for a module.
export function Trust({ publisher }: { publisher: string }) {
  if (publisher.includes('(shipped)')) return <Badge title={`${publisher}: it came with the host`}>shipped</Badge>;
  if (publisher.startsWith('unsigned')) return <Badge tone="warn" title={`${publisher}: nobody vouches for it`}>unsigned</Badge>; // prettier-ignore
  return <Badge tone="ok" title={publisher}>signed</Badge>; // prettier-ignore
}
