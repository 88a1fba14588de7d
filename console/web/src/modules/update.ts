// What an installation would replace, and what it asks for beyond that.

import type { Module } from '../gen/vedette/v1/module_pb';
import type { Capability } from './package';

export interface Update {
  // The version that runs for the organization today; undefined when none does.
  readonly running: Module | undefined;
  // Asked for beyond what the version before has; the host has somebody agree to it.
  readonly more: readonly Capability[];
  // What the version before may and this one does not ask for.
  readonly less: readonly string[];
}

// updateOf compares a candidate with what runs. Only a version of the same owner hands its grants on: the first own version
// of an organization has none, whatever the shared one may.
export function updateOf(modules: readonly Module[], name: string, tenant: number, asks: readonly Capability[]): Update {
  const of = (t: number) => modules.find((m) => m.tenant === t && m.name === name);
  const own = of(tenant);
  const running = own ?? of(0);
  const has = new Set(own?.capabilities);
  const base = (id: string) => id.split(':', 1)[0]!;
  const asked = new Set(asks.map((a) => base(a.id)));
  return { running, more: asks.filter((a) => !has.has(base(a.id))), less: running?.capabilities.filter((id) => !asked.has(id)) ?? [] };
}
