// Turning a module on and off, for all or for the organization that is looked at.

import { useCallback } from 'react';
import { modules } from '../api/clients';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import { failed, notice } from '../ui/notice';
import { type Row, scopeOf } from './rows';

// useSwitch returns why a module cannot be switched, empty when it can, and what switches it. refetch loads the modules again.
export function useSwitch(refetch: () => Promise<unknown>) {
  const { selected, name } = useOrganization();
  const { can, whyNot } = useSession();
  const tenant = selected?.id;
  const why = useCallback(
    (r: Row) => whyNot('modules.change') || (scopeOf(r.module, tenant) === 0 && !can('tenants.change') ? 'It is shared: choose an organization to switch it for that one.' : ''),
    [whyNot, can, tenant],
  );
  const switchTo = useCallback(
    async (r: Row, on: boolean) => {
      const scope = scopeOf(r.module, tenant);
      const doing = `Switch ${r.module.name} ${on ? 'on' : 'off'}`;
      const put = (enabled: boolean) => modules.setModuleEnabled({ name: r.module.name, tenant: scope, enabled });
      try {
        await put(on);
        notice(`${r.module.name} is ${on ? 'on' : 'off'} for ${scope ? name(scope) : 'all organizations'}.`, () => void put(!on).then(() => refetch(), (e) => failed('Undo', e)));
      } catch (e) {
        failed(doing, e);
      }
      await refetch();
    },
    [tenant, name, refetch],
  );
  return { why, switchTo };
}
