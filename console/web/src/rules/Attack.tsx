// The ATT&CK matrix: what is detected here, and what only would be.

import { useQuery } from '@connectrpc/connect-query';
import { Button, SegmentedControl, TextInput } from '@mantine/core';
import { IconDownload, IconSearch } from '@tabler/icons-react';
import { type KeyboardEvent, memo, useCallback, useMemo, useRef, useState } from 'react';
import { rules } from '../api/clients';
import { useHotkeys } from '../app/keys';
import { useParams } from '../app/params';
import { RuleService, type TechniqueCoverage } from '../gen/vedette/v1/rule_pb';
import { count, plural } from '../ui/age';
import { Page, Spring, useTitle } from '../ui/Layout';
import { failed } from '../ui/notice';
import { save } from '../ui/save';
import { SplitPane } from '../ui/SplitPane';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import css from './attack.module.css';
import { type Column, columnsOf, countsOf, move, type Place, stateOf, states } from './coverage';
import { Places } from './Places';
import { TechniqueDetail } from './TechniqueDetail';
import { useScope } from './useRules';

const defaults = { show: '', state: '', text: '', at: '' };
const refresh = 60_000; // ms

export default function Attack() {
  useTitle('ATT&CK');
  const [params, set] = useParams(defaults);
  const { tenant, known } = useScope();
  const search = useRef<HTMLInputElement>(null);
  const { data, error, refetch } = useQuery(RuleService.method.getCoverage, { tenant }, { enabled: known, refetchInterval: refresh, placeholderData: (old) => old });
  const columns = useMemo(() => columnsOf(data?.tactics ?? [], { all: params.show === 'all', state: params.state, text: params.text }), [data, params.show, params.state, params.text]);
  const counts = useMemo(() => countsOf(data?.tactics ?? []), [data]);
  const chosen = useMemo(() => data?.tactics.flatMap((t) => t.techniques).find((t) => t.id === params.at), [data, params.at]);
  const open = useCallback((at: string) => set({ at }), [set]);
  const layer = () =>
    void rules.getCoverage({ tenant, navigator: true }).then((r) => save('vedette-attack-layer.json', r.navigator, 'application/json'), (e: unknown) => failed('Export the layer', e));
  useHotkeys('ATT&CK', [
    { keys: '/', label: 'Filter', run: () => search.current?.select() },
    { keys: 'v', label: 'All techniques, or those that rules name', run: () => set({ show: params.show === 'all' ? '' : 'all' }) },
    { keys: 'Escape', label: 'Close the details', run: () => set({ at: '' }) },
  ]);
  return (
    <Page
      flush
      title="ATT&CK"
      actions={
        <>
          <Places />
          <TextInput ref={search} aria-label="Filter techniques" placeholder="Technique" leftSection={<IconSearch size={14} aria-hidden="true" />} value={params.text} onChange={(e) => set({ text: e.currentTarget.value })} />
          <SegmentedControl aria-label="Which techniques" value={params.show} onChange={(show) => set({ show })} data={[{ value: '', label: 'With rules' }, { value: 'all', label: 'All' }]} />
          <Spring />
          <Button variant="default" leftSection={<IconDownload size={14} aria-hidden="true" />} onClick={layer}>
            Navigator layer
          </Button>
        </>
      }
    >
      {error && !data ? (
        <div className={css.fault}>
          <ErrorBox error={error} doing="Load the matrix" retry={() => void refetch()} />
        </div>
      ) : (
        <div className={css.page}>
          <div className={css.legend} role="group" aria-label="States of techniques">
            {states.map((s) => (
              <button key={s.value} type="button" data-state={s.value} aria-pressed={params.state === s.value} title={s.about} onClick={() => set({ state: params.state === s.value ? '' : s.value })}>
                <i aria-hidden="true">{s.sign}</i>
                {s.label} <b className="number">{count(counts.get(s.value) ?? 0)}</b>
              </button>
            ))}
            <Spring />
            {data && <span className="dim number" role="status">With sub-techniques {count(data.covered)} of {count(data.named)} that rules name are covered · ATT&CK {visible(data.version)}</span>}
          </div>
          <div className={css.matrix}>
            <SplitPane name="attack" label="the technique’s details" initial={400} pane={chosen ? <TechniqueDetail of={chosen} close={() => set({ at: '' })} /> : null}>
              {data && <Matrix columns={columns} at={params.at} open={open} />}
            </SplitPane>
          </div>
        </div>
      )}
    </Page>
  ); // prettier-ignore
}

function Matrix({ columns, at, open }: { columns: readonly Column[]; at: string; open: (id: string) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<Place>({ column: 0, row: 0 });
  const first = columns.findIndex((c) => c.techniques.length > 0);
  if (first < 0) return <EmptyState title="No technique matches">Change the filter, or show all techniques.</EmptyState>;
  const there = columns[place.column]?.techniques[place.row] ? place : { column: first, row: 0 };
  const onKeyDown = (e: KeyboardEvent) => {
    const to = e.altKey || e.ctrlKey || e.metaKey ? undefined : move(columns, there, e.key);
    if (!to) return;
    setPlace(to);
    box.current?.querySelector<HTMLElement>(`[data-cell="${to.column} ${to.row}"]`)?.focus();
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div ref={box} className={css.columns} role="toolbar" aria-label="ATT&CK matrix: arrow keys go from technique to technique" onKeyDown={onKeyDown}>
      {columns.map((c, i) => (
        <section key={c.tactic.id} aria-label={visible(c.tactic.name)}>
          <h2 title={c.tactic.id}>
            {visible(c.tactic.name)}
            <small className="number">{c.covered} of {c.named}</small>
          </h2>
          <ul>
            {c.techniques.map((t, j) => (
              <Cell key={t.id} of={t} name={`${i} ${j}`} reached={there.column === i && there.row === j} active={t.id === at} open={open} reach={() => setPlace({ column: i, row: j })} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  ); // prettier-ignore
}

interface CellProps {
  of: TechniqueCoverage;
  name: string;
  // Tab comes to this one.
  reached: boolean;
  active: boolean;
  open: (id: string) => void;
  reach: () => void;
}

const Cell = memo(
  function Cell({ of: t, name, reached, active, open, reach }: CellProps) {
    const state = stateOf(t.state);
    const subs = t.subs.filter((s) => s.state !== 'none');
    return (
      <li>
        <button
          type="button"
          data-cell={name}
          data-state={state.value}
          aria-pressed={active}
          tabIndex={reached ? 0 : -1}
          title={`${t.id}: ${state.about}${subs.length > 0 ? `; ${subs.filter((s) => s.state === 'covered').length} of ${plural(subs.length, 'sub-technique')} with rules covered` : ''}`}
          onFocus={reach}
          onClick={() => open(t.id)}
        >
          <i aria-hidden="true">{state.sign}</i>
          <span>
            {visible(t.name).replaceAll('/', '/\u200b')}
            <span className="unseen">, {state.label},</span>
          </span>
          <small className="number">
            <span className="mono">{t.id}</span>
            {t.rules.length > 0 && <> · {plural(t.rules.length, 'rule')}</>}
          </small>
        </button>
      </li>
    ); // prettier-ignore
  },
  (a, b) => a.of === b.of && a.name === b.name && a.reached === b.reached && a.active === b.active,
);
