import { useMemo } from 'react';
import { useOrganization } from '../app/organization';
import { severities } from '../live/row';
import { OrganizationName } from '../ui/Badge';
import { type Facet, FacetList, type FacetValue } from '../ui/FacetList';
import { visible } from '../ui/text';
import { any, type FacetName, me, nobody } from './filter';
import type { Queue } from './useQueue';

const titles: Record<FacetName, string> = {
  sev: 'Severity', state: 'State', org: 'Organization', rule: 'Rule', tech: 'ATT&CK', host: 'Host', user: 'User', who: 'Assignee',
};

const order: Partial<Record<FacetName, readonly string[]>> = { sev: severities, state: ['open', 'acknowledged', 'resolved'] };
const words = (v: string) => v[0]!.toUpperCase() + v.slice(1);

export function Facets({ queue: { shown, params, set } }: { queue: Queue }) {
  const { all, selected } = useOrganization();
  const facets = useMemo(() => {
    const names: FacetName[] = all.length > 1 && !selected ? ['sev', 'state', 'org', 'rule', 'host', 'user', 'tech', 'who'] : ['sev', 'state', 'rule', 'host', 'user', 'tech', 'who'];
    return names.map((name): Facet => {
      const counts = shown.facets[name];
      const fixed = order[name];
      const values: FacetValue[] = fixed
        ? fixed.map((value) => ({ value, label: words(value), count: counts.get(value) ?? 0 }))
        : [...counts].map(([value, count]) => ({ value, count, label: label(name, value) })).sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
      const chosen = params[name === 'org' ? 'in' : name].filter((v) => v !== any);
      return { name, title: titles[name], values, selected: chosen };
    });
  }, [shown.facets, params, all, selected]);
  const change = (name: string, values: string[]) => {
    // No state chosen means any state; without the word the address would mean the default, open ones.
    if (name === 'state' && values.length === 0) values = [any];
    set({ [name === 'org' ? 'in' : name]: values });
  };
  return <FacetList facets={facets} onChange={change} label="Filters of the queue" />;
}

function label(name: FacetName, value: string) {
  if (name === 'org') return <OrganizationName id={Number(value)} />;
  if (name === 'who') return value === nobody ? 'Nobody' : value === me ? 'Me' : visible(value);
  return visible(value);
}
