// The rules of the organization that is looked at, and what changes one of them.

import { useQuery } from '@connectrpc/connect-query';
import { useCallback, useMemo } from 'react';
import { rules } from '../api/clients';
import { queryClient } from '../api/query';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import { type Rule, RuleService } from '../gen/vedette/v1/rule_pb';
import { failed, notice } from '../ui/notice';
import { visible } from '../ui/text';
import { rowOf } from './rows';

const refresh = 60_000; // ms: thousands of rules are hundreds of kilobytes

// useScope is the organization whose rules are looked at, 0 for what all share, and whether that is known yet.
export function useScope(): { tenant: number; known: boolean } {
  const { selected, loaded } = useOrganization();
  return { tenant: selected?.id ?? 0, known: loaded };
}

export function useRules() {
  const { tenant, known } = useScope();
  // What arrived within a day the store has to be asked, which takes it seconds now and then; the list is there before.
  const quick = useQuery(RuleService.method.listRules, { tenant, brief: true, atOnce: true }, { enabled: known, staleTime: Infinity, gcTime: refresh });
  const whole = useQuery(RuleService.method.listRules, { tenant, brief: true }, { enabled: known && !quick.isPending, refetchInterval: refresh });
  const data = whole.data ?? quick.data;
  const rows = useMemo(() => (data?.rules ?? []).map(rowOf), [data]);
  return { ...whole, data, isPending: data === undefined && whole.isPending, rows };
}

// forgetRules has everything that was read of rules asked for again.
export const forgetRules = (): Promise<void> =>
  queryClient.invalidateQueries({ predicate: (q) => (q.queryKey[1] as { serviceName?: string } | undefined)?.serviceName === RuleService.typeName });

// useSwitch returns why a rule cannot be switched, empty when it can, and what switches it.
export function useSwitch() {
  const { name } = useOrganization();
  const { can, whyNot } = useSession();
  const { tenant } = useScope();
  const why = useCallback(
    () => whyNot('modules.change') || (tenant === 0 && !can('global.change') ? 'Choose an organization to switch it for that one.' : ''),
    [whyNot, can, tenant],
  );
  const switchTo = useCallback(
    async (r: Rule, enabled: boolean) => {
      const put = (on: boolean) => rules.setRuleEnabled({ id: r.id, tenant, enabled: on });
      try {
        await put(enabled);
        notice(`“${visible(r.name)}” is ${enabled ? 'on' : 'off'} for ${tenant ? name(tenant) : 'all organizations'}.`, () => void put(!enabled).then(forgetRules, (e) => failed('Undo', e)));
      } catch (e) {
        failed(`Switch “${visible(r.name)}” ${enabled ? 'on' : 'off'}`, e);
      }
      await forgetRules();
    },
    [tenant, name],
  );
  return { why, switchTo };
}
