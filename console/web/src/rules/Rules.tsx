// The rules that run, what each is worth, and what keeps one from working.

import { Button, TextInput } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { IconPlus, IconSearch, IconShieldBolt } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useCallback, useMemo, useRef } from 'react';
import { useHotkeys } from '../app/keys';
import { useParams } from '../app/params';
import { useSession } from '../app/session';
import { useTyped } from '../app/useTyped';
import { severities } from '../live/row';
import { count, plural } from '../ui/age';
import { type Facet, FacetList, type FacetValue } from '../ui/FacetList';
import { Page, Spring, useTitle } from '../ui/Layout';
import { notice } from '../ui/notice';
import { SplitPane } from '../ui/SplitPane';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { VirtualTable } from '../ui/VirtualTable';
import { columnsOf } from './columns';
import { Detail } from './Detail';
import { kinds } from './health';
import { editing } from './links';
import { Places } from './Places';
import { type FacetName, facetNames, noTactic, type Row, select, sorted } from './rows';
import css from './rules.module.css';
import { useRules, useScope, useSwitch } from './useRules';
import { languageWord } from './words';

const none: string[] = [];
const defaults = { text: '', sort: 'name', at: '', view: 'about', tech: '', state: none, health: none, sev: none, tactic: none, lang: none, source: none, whose: none, package: none };
const narrow = 1_180; // pixels of the page under which details take the room of the filters

export default function Rules() {
  useTitle('Rules');
  const [params, set] = useParams(defaults);
  const { whyNot } = useSession();
  const navigate = useNavigate();
  const search = useRef<HTMLInputElement>(null);
  const page = useElementSize();
  const list = useElementSize();
  const { rows: all, error, isPending, refetch, data } = useRules();
  const { tenant, known } = useScope();
  const { why, switchTo } = useSwitch();
  const named = useMemo(() => (params.tech ? all.filter((r) => r.rule.techniques.some((t) => t.id === params.tech || t.id.startsWith(`${params.tech}.`))) : all), [all, params.tech]);
  const ordered = useMemo(() => sorted(named, params.sort), [named, params.sort]);
  const [text, filter, type] = useTyped(params.text, useCallback((text) => set({ text }), [set]));
  const { rows: shown, counts } = useMemo(() => select(ordered, { text: filter, facets: params }), [ordered, filter, params]);
  const facets = useMemo(() => facetsOf(counts, params), [counts, params]);
  const choose = useCallback((name: string, values: string[]) => set({ [name]: values }), [set]);
  const reason = why();
  const columns = useMemo(() => columnsOf({ width: list.width, why: reason, switchTo: (r, on) => void switchTo(r.rule, on) }), [list.width, reason, switchTo]);
  const active = all.find((r) => r.key === params.at);
  const step = (by: number) => {
    const at = shown.findIndex((r) => r.key === params.at);
    set({ at: shown[Math.max(0, Math.min(shown.length - 1, at + by))]?.key ?? '' });
  };
  const refused = whyNot('modules.change');
  const may = (run: () => void) => () => (refused ? void notice(refused) : run());
  useHotkeys('Rules', [
    { keys: 'j', label: 'Next rule', run: () => step(1) },
    { keys: 'k', label: 'Rule before', run: () => step(-1) },
    { keys: '/', label: 'Filter', run: () => search.current?.select() },
    { keys: 'n', label: 'New rule', run: may(() => void navigate({ to: '/rules/new' })) },
    { keys: 'e', label: 'Edit the rule', run: may(() => active && void navigate(editing(active.key))) },
    { keys: 'o', label: 'Switch the rule on or off', run: () => (reason ? void notice(reason) : active && void switchTo(active.rule, !active.rule.enabled)) },
    { keys: 'Escape', label: 'Close the details', run: () => set({ at: '' }) },
  ]);
  return (
    <Page
      flush
      title="Rules"
      actions={
        <>
          <Places />
          <TextInput
            ref={search}
            aria-label="Filter rules"
            placeholder="Name, technique, author"
            leftSection={<IconSearch size={14} aria-hidden="true" />}
            value={text}
            onChange={(e) => type(e.currentTarget.value)}
          />
          {params.tech && <Button variant="light" size="compact-xs" title="Show the rules of all techniques" onClick={() => set({ tech: '' })}>{visible(params.tech)} ✕</Button>}
          {data && <span className="dim number" role="status">{shown.length === all.length ? plural(all.length, 'rule') : `${count(shown.length)} of ${plural(all.length, 'rule')}`}</span>}
          {tenant === 0 && known && <span className="dim cut">What arrives and fires is known of one organization at a time: choose it above.</span>}
          <Spring />
          <Button leftSection={<IconPlus size={14} aria-hidden="true" />} disabled={refused !== ''} title={refused} {...(refused ? {} : { renderRoot: (props: object) => <Link {...props} to="/rules/new" /> })}>
            New rule
          </Button>
        </>
      }
    >
      {error && !data ? (
        <div className={css.fault}>
          <ErrorBox error={error} doing="Load the rules" retry={() => void refetch()} />
        </div>
      ) : (
        <div ref={page.ref} className={css.work}>
          {(!active || page.width > narrow) && (
            <div className={css.facets}>
              <FacetList facets={facets} onChange={choose} label="Filters of the rules" />
            </div>
          )}
          <SplitPane name="rules" label="the rule’s details" initial={520} max={900} pane={active ? <Detail key={active.key} row={active} view={params.view} show={(view) => set({ view })} close={() => set({ at: '' })} /> : null}>
            <div ref={list.ref} className={css.list}>
              <VirtualTable
                label="Rules"
                rows={shown}
                keyOf={keyOf}
                columns={columns}
                active={params.at || undefined}
                onActive={(at) => set({ at })}
                onOpen={(r) => refused === '' && void navigate(editing(r.key))}
                toneOf={toneOf}
                sort={{ by: params.sort.replace(/^-/, ''), descending: params.sort.startsWith('-') }}
                onSort={(by) => set({ sort: params.sort === by || (params.sort !== `-${by}` && figures.has(by)) ? `-${by}` : by })}
                empty={isPending ? undefined : <Nothing any={all.length > 0} />}
              />
            </div>
          </SplitPane>
        </div>
      )}
    </Page>
  ); // prettier-ignore
}

const keyOf = (r: Row) => r.key;
const toneOf = (r: Row) => (r.rule.enabled ? undefined : 'done');
const figures = new Set(['severity', 'fires', 'false', 'last', 'health']); // of which the largest is looked for

function Nothing({ any }: { any: boolean }) {
  return (
    <EmptyState icon={<IconShieldBolt size={28} stroke={1.4} aria-hidden="true" />} title={any ? 'No rule matches' : 'No rule is installed'}>
      {any ? 'Change the filters or the text.' : 'Install a package of rules from the catalogue, or write the first one.'}
    </EmptyState>
  );
}

const titles: Record<FacetName, string> = { state: 'State', health: 'Health', sev: 'Severity', tactic: 'Tactic', lang: 'Language', source: 'Data source', whose: 'Whose', package: 'Package' };
const first = (word: string) => word[0]!.toUpperCase() + word.slice(1);

const fixed: Partial<Record<FacetName, readonly { value: string; label: string }[]>> = {
  state: [{ value: 'on', label: 'On' }, { value: 'off', label: 'Off' }],
  health: [...kinds.map((k) => ({ value: k.kind, label: k.label })), { value: 'well', label: 'Well' }],
  sev: severities.map((s) => ({ value: s, label: first(s) })),
  whose: [{ value: 'own', label: 'The organization’s own' }, { value: 'shared', label: 'Shared' }],
};

function facetsOf(counts: Record<FacetName, Map<string, number>>, params: Record<FacetName, string[]>): Facet[] {
  return facetNames.map((name) => {
    const known = fixed[name];
    const found = counts[name];
    const values: FacetValue[] = known
      ? known.map(({ value, label }) => ({ value, label, count: found.get(value) ?? 0 })).filter((v) => name === 'sev' || v.count > 0)
      : [...found].map(([value, n]) => ({ value, count: n, label: labelOf(name, value) })).sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
    return { name, title: titles[name], values, selected: params[name] };
  });
}

function labelOf(name: FacetName, value: string): string {
  if (name === 'lang') return languageWord(value);
  if (name === 'tactic' && value === noTactic) return 'No technique named';
  if (name === 'source') return visible(value.replace(/\b(product|category|service) /g, '').replaceAll(', ', ' · ')); // of Sigma
  return visible(value);
}
