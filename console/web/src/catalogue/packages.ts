// The versions in the registry as the catalogue lists them: one line for each module.

import type { RegistryPackage } from '../gen/vedette/v1/registry_pb';

export interface Entry {
  // "publisher/name".
  readonly module: string;
  // Of the newest version that can be installed; of the newest one when none can.
  readonly newest: RegistryPackage;
  // Newest first.
  readonly versions: readonly RegistryPackage[];
  readonly running: RegistryPackage | undefined;
  // Organizations that run any version of it.
  readonly runs: number;
}

// Update is a version to go to from the one that runs.
export interface Update {
  readonly reference: string;
  readonly version: string;
  // Of the signed index; empty when it names none.
  readonly channel: string;
}

export const moduleOf = (p: RegistryPackage): string => p.reference.slice(0, p.reference.indexOf(':'));
export const versionOf = (p: RegistryPackage): string => p.reference.slice(p.reference.indexOf(':') + 1);

// withdrawn versions are not installed any more.
export const withdrawn = (p: RegistryPackage): boolean => p.standing === 'yanked' || p.standing === 'revoked';

const preRelease = (p: RegistryPackage): boolean => versionOf(p).includes('-');

// entries groups a listing, which has each module's versions together and the newest first.
export function entries(list: readonly RegistryPackage[]): Entry[] {
  const groups = new Map<string, RegistryPackage[]>();
  for (const p of list) {
    const versions = groups.get(moduleOf(p));
    if (versions) versions.push(p);
    else groups.set(moduleOf(p), [p]);
  }
  return [...groups].map(([module, versions]) => ({
    module, versions, newest: versions.find((p) => !withdrawn(p)) ?? versions[0]!,
    running: versions.find((p) => p.running), runs: versions.reduce((sum, p) => sum + p.runs, 0),
  })); // prettier-ignore
}

export interface Filter {
  // parser, rule, monitor; empty for all.
  readonly kind: string;
  readonly text: string;
}

export function select(all: readonly Entry[], { kind, text }: Filter): Entry[] {
  const word = text.trim().toLowerCase();
  return all.filter((e) => {
    const { newest: p } = e;
    return (kind === '' || p.kind === kind) && (word === '' || `${e.module} ${p.title} ${p.capabilities.join(' ')}`.toLowerCase().includes(word));
  });
}

// updateOf finds what a version may go to: what the channel stable names or, where a registry has no channels, the newest
// release. It never goes back.
export function updateOf({ versions }: Pick<Entry, 'versions'>, digest: string): Update | undefined {
  const at = versions.findIndex((p) => p.digest === digest);
  if (at < 0) return undefined;
  const stable = versions.findIndex((p) => p.channels.includes('stable'));
  const channels = versions.some((p) => p.channels.length > 0);
  const to = channels ? stable : versions.findIndex((p) => !withdrawn(p) && !preRelease(p));
  const next = versions[to];
  if (!next || to >= at) return undefined;
  return { reference: next.reference, version: versionOf(next), channel: channels ? 'stable' : '' };
}

const values: Record<string, (e: Entry) => number | string> = {
  module: (e) => e.module,
  kind: (e) => e.newest.kind,
  conformance: (e) => e.newest.conformance?.checked?.level ?? e.newest.conformance?.attested?.level ?? -2,
  runs: (e) => e.runs,
};

// sorted orders by a column, "-" before it for descending; equal ones by name.
export function sorted(all: readonly Entry[], by: string): Entry[] {
  const sign = by.startsWith('-') ? -1 : 1;
  const value = values[by.replace(/^-/, '')] ?? values.module!;
  return all.toSorted((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === y) return a.module < b.module ? -1 : 1;
    return x < y ? -sign : sign;
  });
}

// installing is the address of the wizard with a version in it.
export const installing = (reference: string, tenant: number | undefined) =>
  ({ to: '/modules/new', search: { package: reference, ...(tenant === undefined ? {} : { for: String(tenant) }) } as never }) as const;
