// Who runs a module.

import type { Module } from '../gen/vedette/v1/module_pb';

export type How = 'shared' | 'own' | 'off';

export interface Run {
  readonly tenant: number;
  readonly how: How;
  // Empty when it is off.
  readonly version: string;
}

// runsOf says how each organization stands to a module: it runs the shared version, one of its own, or none. modules are
// those of all organizations.
export function runsOf(modules: readonly Module[], name: string, tenants: readonly number[]): Run[] {
  const named = modules.filter((m) => m.name === name);
  const shared = named.find((m) => m.tenant === 0);
  return tenants.flatMap((tenant): Run[] => {
    const own = named.find((m) => m.tenant === tenant);
    const runs = own ?? shared;
    if (!runs) return [];
    return [runs.enabled ? { tenant, how: own ? 'own' : 'shared', version: runs.version } : { tenant, how: 'off', version: '' }];
  });
}
