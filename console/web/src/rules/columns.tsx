import { Switch } from '@mantine/core';
import { Age } from '../ui/Age';
import { count } from '../ui/age';
import { Badge } from '../ui/Badge';
import { Severity } from '../ui/Severity';
import { visible } from '../ui/text';
import type { Column } from '../ui/VirtualTable';
import { isSlight } from './health';
import type { Row } from './rows';
import css from './rules.module.css';
import { languageOf, percent, whyOff } from './words';

interface Config {
  // Pixels.
  width: number;
  // Why it cannot be switched; empty when it can.
  why: string;
  switchTo: (r: Row, on: boolean) => void;
}

export function columnsOf({ width, why, switchTo }: Config): Column<Row>[] {
  const wide = width > 1_000;
  const middling = width > 760;
  const narrow = width < 520;
  const columns: (Column<Row> | false)[] = [
    { id: 'severity', header: 'Severity', width: '94px', sortable: true, cell: (r) => <Severity value={r.severity} /> },
    {
      id: 'name', header: 'Rule', width: 'minmax(180px, 2.2fr)', sortable: true,
      cell: (r) => (
        <span className={css.name} title={visible(r.rule.name)}>
          <span className="cut">{visible(r.rule.name)}</span>
          {r.rule.tenant !== 0 && <Badge tone="accent" title="The organization’s own: it may be edited">own</Badge>}
          {r.rule.exceptions > 0 && <Badge title="Exceptions of the organization">{r.rule.exceptions} exc.</Badge>}
        </span>
      ),
    },
    middling && {
      id: 'attack', header: 'ATT&CK', width: 'minmax(84px, 0.6fr)',
      cell: (r) => <span className="dim cut" title={r.rule.techniques.map((t) => `${t.id} ${visible(t.name)}`).join(', ')}>{visible(r.rule.techniques[0]?.id ?? '–')}{r.rule.techniques.length > 1 && ` +${r.rule.techniques.length - 1}`}</span>,
    },
    wide && { id: 'language', header: 'Language', width: '82px', cell: (r) => <span className="dim">{languageOf(r.rule)}</span> },
    !narrow && { id: 'health', header: 'Health', width: 'minmax(120px, 1.1fr)', sortable: true, cell: (r) => <Health row={r} /> },
    middling && { id: 'fires', header: 'Fires 24 h', width: '80px', end: true, sortable: true, cell: (r) => (r.day > 0 ? count(r.day) : <span className="dim">0</span>) },
    middling && { id: 'false', header: 'False pos.', width: '82px', end: true, sortable: true, cell: (r) => <FalseShare row={r} /> },
    wide && { id: 'last', header: 'Last fired', width: '78px', end: true, sortable: true, cell: (r) => <span className="dim"><Age at={r.lastFired} short /></span> },
    {
      id: 'on', header: 'On', width: '52px', end: true,
      cell: (r) => (
        <Switch
          className={css.switch}
          size="xs"
          tabIndex={-1} // with the keyboard it is the key of the list or the details' switch, not one more stop for each rule
          aria-label={`${visible(r.rule.name)} is on`}
          checked={r.rule.enabled}
          disabled={why !== ''}
          title={why || whyOff(r.rule)}
          onClick={(e) => e.stopPropagation()}
          onChange={(e) => switchTo(r, e.currentTarget.checked)}
        />
      ),
    },
  ]; // prettier-ignore
  return columns.filter((c) => c !== false);
}

// Health says the worst that is wrong, and what else in the title.
export function Health({ row }: { row: Row }) {
  const [worst] = row.troubles;
  if (!worst && row.rule.enabled && !row.rule.reach?.at) return <span className="dim" title="Whether what it needs arrives is known of one organization at a time.">–</span>;
  if (!worst) return <span className="dim">{row.rule.enabled ? 'well' : '–'}</span>;
  return (
    <span className={css.health} data-slight={isSlight(worst) || undefined} title={visible(row.troubles.map((t) => t.text).join('\n'))}>
      <span className="cut">{visible(worst.short)}</span>
      {row.troubles.length > 1 && <span className="number">+{row.troubles.length - 1}</span>}
    </span>
  );
}

function FalseShare({ row }: { row: Row }) {
  if (row.judged === 0) return <span className="dim" title="Nobody has judged an incident of it in 30 days.">–</span>; // prettier-ignore
  return (
    <span className={row.falseShare >= 0.5 ? css.much : undefined} title={`${count(row.rule.use?.falsePositives ?? 0n)} of ${count(row.judged)} judged incidents of the last 30 days`}>
      {percent(row.falseShare)}
    </span>
  );
}
