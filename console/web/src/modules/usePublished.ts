import { useEffect, useRef } from 'react';
import { registry } from '../api/clients';
import { isCancelled } from '../api/errors';
import { failed } from '../ui/notice';
import type { Wizard } from './useWizard';

// usePublished puts a version of the registry into the wizard, once: the host fetches it if it is elsewhere.
export function usePublished(reference: string, { tenant, upload }: Wizard): void {
  const whose = useRef(tenant);
  useEffect(() => {
    if (reference === '') return;
    const stop = new AbortController();
    registry.fetchPackage({ tenant: whose.current, reference }, { signal: stop.signal }).then(
      (r) => upload(r.package),
      (e: unknown) => void (stop.signal.aborted || isCancelled(e) || failed(`Fetch ${reference}`, e)),
    );
    return () => stop.abort();
  }, [reference, upload]);
}
