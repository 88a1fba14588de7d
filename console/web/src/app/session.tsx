// Who is signed in, and what they may do.

import { Code, ConnectError } from '@connectrpc/connect';
import { createContext, type ReactNode, useContext, useMemo } from 'react';
import { auth } from '../api/clients';
import { queryClient } from '../api/query';
import type { User, WhoAmIResponse } from '../gen/vedette/v1/auth_pb';

// Permission is a name of host/tenant.
export type Permission = keyof typeof doing;

export interface Session {
  user: User;
  can: (p: Permission) => boolean;
  // Why not: a sentence for the title of what is disabled; empty when it is permitted.
  whyNot: (p: Permission) => string;
}

const doing = {
  'incidents.read': 'see incidents',
  'incidents.work': 'change incidents',
  'events.read': 'search events',
  'modules.read': 'see modules',
  'modules.change': 'change modules',
  'capabilities.grant': 'grant a module what it asks for',
  'quarantine.read': 'see quarantined records',
  'sources.read': 'see sources',
  'tokens.change': 'change ingest tokens',
  'webhooks.change': 'change webhooks',
  'monitors.read': 'see monitors',
  'monitors.change': 'change monitors or see what they have pulled',
  'devices.change': 'change devices, credentials and what may be reached',
  'usage.read': 'see usage',
  'users.read': 'see users',
  'users.change': 'change users',
  'tenants.change': 'change organizations',
  'global.change': 'change what all organizations share',
  'health.read': 'see how the host is doing',
  'demo.run': 'start attacks in the demo',
  'demo.change': 'change the demo',
};

const key = ['whoami'];

// whoAmI asks once and remembers; undefined means that nobody is signed in.
export function whoAmI(): Promise<WhoAmIResponse | null> {
  return queryClient.ensureQueryData({
    queryKey: key,
    staleTime: Infinity,
    queryFn: async ({ signal }) => {
      try {
        return await auth.whoAmI({}, { signal });
      } catch (e) {
        if (ConnectError.from(e).code === Code.Unauthenticated) return null;
        throw e;
      }
    },
  });
}

// forget drops everything that was read for the last user.
export function forget(): void {
  queryClient.clear();
}

const context = createContext<Session | undefined>(undefined);

export function SessionProvider({ who, children }: { who: WhoAmIResponse; children: ReactNode }) {
  const session = useMemo((): Session => {
    const can = (p: Permission) => who.permissions.includes(p);
    return {
      user: who.user!,
      can,
      whyNot: (p) => (can(p) ? '' : `Your role, ${who.user!.role}, may not ${doing[p]}.`),
    };
  }, [who]);
  return <context.Provider value={session}>{children}</context.Provider>;
}

export function useSession(): Session {
  const session = useContext(context);
  if (!session) throw new Error('useSession outside of the signed-in console');
  return session;
}
