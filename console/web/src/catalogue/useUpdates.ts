import { useMemo } from 'react';
import { useSession } from '../app/session';
import { entries, type Update, updateOf } from './packages';
import { usePackages, useWhose } from './usePackages';

const refresh = 60_000; // ms

// useUpdates returns what says which version there is to go to from one that runs, and for whom it would be installed: who
// may not change what all share gets one of their own.
export function useUpdates(): (m: { name: string; digest: string; tenant: number }) => (Update & { readonly tenant: number | undefined }) | undefined {
  const whose = useWhose();
  const { can } = useSession();
  const global = can('global.change');
  const { data } = usePackages(whose, refresh);
  return useMemo(() => {
    const all = new Map(entries(data?.packages ?? []).map((e) => [e.module, e]));
    return ({ name, digest, tenant }) => {
      const e = all.get(name);
      const update = e && updateOf(e, digest);
      return update && { ...update, tenant: tenant || (global ? 0 : whose) };
    };
  }, [data, global, whose]);
}
