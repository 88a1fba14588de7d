// Which organization the person works in. The choice is in the address, so that links carry it.

import { useQuery } from '@connectrpc/connect-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { createContext, type ReactNode, useContext, useMemo } from 'react';
import { type Tenant, TenantService } from '../gen/vedette/v1/tenant_pb';

export interface Organization {
  all: Tenant[];
  // all is what the host has said, and not only empty because it has not answered yet.
  loaded: boolean;
  // undefined: all organizations, the Global view.
  selected: Tenant | undefined;
  // What requests name: the chosen organization, or none for all of them.
  tenants: number[];
  select: (slug: string | undefined) => void;
  name: (id: number) => string;
  // A CSS colour.
  color: (id: number) => string;
}

const colors = 8;
export const colorOf = (id: number): string => `var(--org-${(id + colors - 1) % colors})`;

const context = createContext<Organization | undefined>(undefined);

export function OrganizationProvider({ children }: { children: ReactNode }) {
  const { data } = useQuery(TenantService.method.listTenants, {}, { staleTime: 60_000 });
  const { org } = useSearch({ strict: false }) as { org?: string };
  const navigate = useNavigate();
  const value = useMemo((): Organization => {
    const all = data?.tenants ?? [];
    const selected = all.find((t) => t.slug === org) ?? (all.length === 1 ? all[0] : undefined);
    const names = new Map(all.map((t) => [t.id, t.name || t.slug]));
    return {
      all,
      loaded: data !== undefined,
      selected,
      tenants: selected ? [selected.id] : [],
      select: (slug) => void navigate({ to: '.', search: ((s: object) => ({ ...s, org: slug })) as never }),
      name: (id) => names.get(id) ?? `Organization ${id}`,
      color: colorOf,
    };
  }, [data, org, navigate]);
  return <context.Provider value={value}>{children}</context.Provider>;
}

export function useOrganization(): Organization {
  const value = useContext(context);
  if (!value) throw new Error('useOrganization outside of the signed-in console');
  return value;
}
