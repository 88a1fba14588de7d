// What the pages of monitors ask the host for, of the organizations that are looked at.

import { useQuery } from '@connectrpc/connect-query';
import { useMemo } from 'react';
import { useOrganization } from '../app/organization';
import { type Monitor, MonitorService } from '../gen/vedette/v1/monitor_pb';
import { devicesOf, rowOf } from './rows';

const refresh = 3_000; // ms
const mostDevices = 1_000;

export function useWatches() {
  const { tenants } = useOrganization();
  const { data, error, isPending, refetch } = useQuery(MonitorService.method.listWatches, { tenants }, { refetchInterval: refresh });
  const rows = useMemo(() => data?.watches.map(rowOf) ?? [], [data]);
  return { rows, error: data ? null : error, isPending, refetch };
}

export function useDevices() {
  const { tenants } = useOrganization();
  const watches = useWatches();
  const { data, error, isPending, refetch } = useQuery(MonitorService.method.listDevices, { tenants, limit: mostDevices });
  const rows = useMemo(() => devicesOf(data?.devices ?? [], watches.rows), [data, watches.rows]);
  return { rows, error: data ? null : error, isPending, refetch, more: rows.length === mostDevices };
}

const none: Monitor[] = [];

// usePollers lists the monitors that run for an organization; tenant 0 is nobody.
export function usePollers(tenant: number) {
  const { data, error, refetch } = useQuery(MonitorService.method.listMonitors, { tenants: [tenant] }, { enabled: tenant !== 0, staleTime: 60_000 });
  return { monitors: data?.monitors ?? none, error, refetch };
}
