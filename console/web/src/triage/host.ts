// How triage reaches the host: one incident by a call, many by a stream that tells its progress.

import { incidents } from '../api/clients';
import type { Host } from './triage';

const most = 1_000; // ids in one call

export const host: Host = async (ids, step, progress) => {
  if (ids.length === 1) {
    const { incident } = await incidents.actOnIncident({ id: ids[0]!, ...step });
    progress({ done: 1, incidents: incident ? [incident] : [], failures: [] });
    return;
  }
  for (let from = 0; from < ids.length; from += most) {
    for await (const a of incidents.actOnIncidents({ ids: ids.slice(from, from + most), ...step })) {
      progress({ done: from + a.done, incidents: a.incidents, failures: a.failures });
    }
  }
};
