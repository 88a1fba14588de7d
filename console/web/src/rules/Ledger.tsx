// The ledger of gaps: when which rule was not evaluated, why, and whether it was made up for.

import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { useQuery } from '@connectrpc/connect-query';
import { SegmentedControl } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useHotkeys } from '../app/keys';
import { useParams } from '../app/params';
import { type RuleGap, RuleService } from '../gen/vedette/v1/rule_pb';
import { millis } from '../live/row';
import { Age, useNow } from '../ui/Age';
import { clock, plural } from '../ui/age';
import { Badge } from '../ui/Badge';
import { type Facet, FacetList } from '../ui/FacetList';
import { Page, useTitle } from '../ui/Layout';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Column, VirtualTable } from '../ui/VirtualTable';
import { kinds, kindWord, lengthOf, standingOf, standings } from './gaps';
import { linkOf } from './links';
import { Places } from './Places';
import css from './rules.module.css';
import { useRules, useScope } from './useRules';

const none: string[] = [];
const defaults = { days: '7', kind: none, standing: none, at: '' };
const refresh = 15_000; // ms
const day = 86_400_000; // ms

interface Row {
  readonly key: string;
  readonly gap: RuleGap;
  readonly name: string;
}

export default function Ledger() {
  useTitle('Gaps of rules');
  const [params, set] = useParams(defaults);
  const { tenant, known } = useScope();
  const navigate = useNavigate();
  const [now] = useState(() => Math.floor(Date.now() / 60_000) * 60_000);
  const from = useMemo(() => timestampFromMs(now - Number(params.days) * day), [now, params.days]);
  const { data, error, isPending, refetch } = useQuery(RuleService.method.getRuleLedger, { tenant, from }, { enabled: known, refetchInterval: refresh, placeholderData: (old) => old });
  const { rows: rules } = useRules();
  const names = useMemo(() => new Map(rules.map((r) => [r.key, r.rule.name])), [rules]);
  const all = useMemo(() => (data?.gaps ?? []).map((gap, i): Row => ({ key: String(i), gap, name: gap.rule ? names.get(gap.rule) ?? gap.rule : gap.package ? `All of ${gap.package}` : 'All rules' })), [data, names]);
  const shown = all.filter((r) => (params.kind.length === 0 || params.kind.includes(r.gap.kind)) && (params.standing.length === 0 || params.standing.includes(standingOf(r.gap))));
  const active = shown.find((r) => r.key === params.at);
  const step = (by: number) => set({ at: shown[Math.max(0, Math.min(shown.length - 1, shown.findIndex((r) => r.key === params.at) + by))]?.key ?? '' });
  useHotkeys('Gaps', [
    { keys: 'j', label: 'Next gap', run: () => step(1) },
    { keys: 'k', label: 'Gap before', run: () => step(-1) },
  ]);
  return (
    <Page
      flush
      title="Gaps"
      actions={
        <>
          <Places />
          <SegmentedControl aria-label="How far back" value={params.days} onChange={(days) => set({ days })} data={[{ value: '1', label: 'Day' }, { value: '7', label: 'Week' }, { value: '30', label: '30 days' }]} />
          {data && <span className="dim number" role="status">{plural(shown.length, 'gap')}</span>}
        </>
      }
    >
      {error && !data ? (
        <div className={css.fault}>
          <ErrorBox error={error} doing="Load the ledger" retry={() => void refetch()} />
        </div>
      ) : (
        <div className={css.ledger}>
          {data?.evaluatedTo && (
            <p className={css.upTo}>
              <IconCircleCheck size={15} aria-hidden="true" />
              <span>
                Everything in the log up to <time dateTime={new Date(millis(data.evaluatedTo)).toISOString()}>{clock(millis(data.evaluatedTo))}</time> (<Age at={millis(data.evaluatedTo)} ago />) has been evaluated, by every rule that was on, but for the gaps below.
              </span>
            </p>
          )}
          <div className={css.work}>
            {all.length > 0 && (
              <div className={css.facets}>
                <FacetList facets={facetsOf(all, params)} onChange={(name, values) => set({ [name]: values })} label="Filters of the gaps" />
              </div>
            )}
            <div className={css.grow}>
              <VirtualTable
                label="Gaps"
                rows={shown}
                keyOf={keyOf}
                columns={columns}
                active={params.at || undefined}
                onActive={(at) => set({ at })}
                onOpen={(r) => r.gap.rule && void navigate(linkOf(r.gap.rule))}
                empty={isPending ? undefined : <EmptyState icon={<IconCircleCheck size={28} stroke={1.4} aria-hidden="true" />} title="No gaps">Every rule that was on has seen every event of this time.</EmptyState>}
              />
            </div>
          </div>
          {active && (
            <p className={css.said} role="status">
              <strong>{visible(active.name)}, {kindWord(active.gap.kind).toLowerCase()}.</strong> {visible(active.gap.text)}.
            </p>
          )}
        </div>
      )}
    </Page>
  ); // prettier-ignore
}

const keyOf = (r: Row) => r.key;

const columns: Column<Row>[] = [
  { id: 'from', header: 'From', width: '208px', cell: (r) => <time dateTime={new Date(millis(r.gap.from)).toISOString()}>{clock(millis(r.gap.from))}</time> },
  { id: 'length', header: 'For', width: '70px', cell: (r) => <Length of={r.gap} /> },
  { id: 'rule', header: 'Rule', width: 'minmax(90px, 1fr)', cell: (r) => <span className={r.gap.rule ? undefined : 'dim'} title={visible(r.gap.rule || r.name)}>{visible(r.name)}</span> },
  { id: 'kind', header: 'Why', width: '110px', cell: (r) => kindWord(r.gap.kind) },
  { id: 'text', header: 'What happened', width: 'minmax(200px, 3fr)', cell: (r) => <span className="dim" title={visible(r.gap.text)}>{visible(r.gap.text)}</span> },
  { id: 'standing', header: 'Since then', width: '90px', cell: (r) => <Standing of={r.gap} /> },
];

function Length({ of }: { of: RuleGap }) {
  return <>{lengthOf(of, useNow())}</>;
}

function Standing({ of }: { of: RuleGap }) {
  const standing = standingOf(of);
  const tone = { 'made up': 'ok', 'in part': 'warn', 'goes on': 'warn', missed: 'bad' } as const;
  const title = { 'made up': 'What came meanwhile was evaluated afterwards, by itself.', 'goes on': 'It is not over.', missed: 'What came meanwhile was not evaluated by it.', 'in part': 'Rules of single events evaluated what came late; those that count or wait had decided by then.' };
  return <Badge tone={tone[standing]} title={title[standing]}>{standing}</Badge>; // prettier-ignore
}

function facetsOf(all: readonly Row[], params: typeof defaults): Facet[] {
  const n = (is: (r: Row) => boolean) => all.filter(is).length;
  return [
    { name: 'kind', title: 'Why', selected: params.kind, values: kinds.map((k) => ({ value: k.value, label: k.label, count: n((r) => r.gap.kind === k.value) })).filter((v) => v.count > 0) },
    { name: 'standing', title: 'Since then', selected: params.standing, values: standings.map((s) => ({ value: s, label: s[0]!.toUpperCase() + s.slice(1), count: n((r) => standingOf(r.gap) === s) })).filter((v) => v.count > 0) },
  ]; // prettier-ignore
}
