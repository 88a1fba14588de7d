import { useQuery } from '@connectrpc/connect-query';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import { RegistryService } from '../gen/vedette/v1/registry_pb';

// useWhose says whose registry is looked at: that of the selected organization or, of all, what they share; of who may not
// see that, the first organization's.
export function useWhose(): number | undefined {
  const { all, selected } = useOrganization();
  const { can } = useSession();
  return selected?.id ?? (can('global.change') ? 0 : all[0]?.id);
}

export function usePackages(tenant: number | undefined, refetchInterval: number | false) {
  return useQuery(RegistryService.method.listPackages, { tenant: tenant ?? 0 }, { enabled: tenant !== undefined, staleTime: 30_000, refetchInterval, placeholderData: (old) => old });
}
