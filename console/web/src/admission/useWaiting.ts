import { useQuery } from '@connectrpc/connect-query';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import { AdmissionService } from '../gen/vedette/v1/admission_pb';

const refresh = 10_000; // ms

// useWaiting is how many installations wait for whoever is signed in; 0 for those who may not decide.
export function useWaiting(): number {
  const { can } = useSession();
  const { tenants } = useOrganization();
  const { data } = useQuery(AdmissionService.method.listInstallRequests, { tenants }, { enabled: can('capabilities.grant'), refetchInterval: refresh, retry: false });
  return data?.requests.length ?? 0;
}
