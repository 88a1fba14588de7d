// Modules as the page lists them.

import type { Module } from '../gen/vedette/v1/module_pb';
import { millis } from '../live/row';

export interface Row {
  readonly key: string;
  readonly module: Module;
  readonly activated: number;
  // 0 when it is not known.
  readonly records: number;
  readonly fuelPerRecord: number;
  readonly errors: number;
}

export const keyOf = (m: { tenant: number; name: string }): string => `${m.tenant} ${m.name}`;

function rowOf(m: Module): Row {
  const records = Number(m.use?.records ?? 0n);
  return {
    key: keyOf(m), module: m, activated: millis(m.activatedAt), records, errors: Number(m.use?.errors ?? 0n),
    fuelPerRecord: records > 0 ? Number(m.use?.fuel ?? 0n) / records : 0,
  }; // prettier-ignore
}

export interface Filter {
  // parser, rule, monitor; empty for all.
  readonly kind: string;
  readonly text: string;
  // undefined in the Global view.
  readonly tenant: number | undefined;
}

// select returns what matches. For one organization its own entry hides the shared module of that name.
export function select(modules: readonly Module[], { kind, text, tenant }: Filter): Row[] {
  const own = new Set(modules.filter((m) => m.tenant !== 0 && m.tenant === tenant).map((m) => m.name));
  const word = text.trim().toLowerCase();
  return modules
    .filter((m) => tenant === undefined || m.tenant === tenant || (m.tenant === 0 && !own.has(m.name)))
    .filter((m) => (kind === '' || m.kind === kind) && (word === '' || `${m.name} ${m.title} ${m.capabilities.join(' ')}`.toLowerCase().includes(word)))
    .map(rowOf);
}

const values: Record<string, (r: Row) => number | string> = {
  name: (r) => r.module.name,
  kind: (r) => r.module.kind,
  records: (r) => r.records,
  fuel: (r) => r.fuelPerRecord,
  errors: (r) => r.errors,
  swap: (r) => r.activated,
};

// sorted orders rows by a column, "-" before it for descending; equal ones by name.
export function sorted(rows: readonly Row[], by: string): Row[] {
  const sign = by.startsWith('-') ? -1 : 1;
  const value = values[by.replace(/^-/, '')] ?? values.name!;
  return rows.toSorted((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === y) return a.module.name < b.module.name ? -1 : a.module.name > b.module.name ? 1 : a.module.tenant - b.module.tenant;
    return x < y ? -sign : sign;
  });
}

// scopeOf is the organization that a switch acts on: 0 is all of them.
export const scopeOf = (m: Module, tenant: number | undefined): number => (m.tenant !== 0 ? m.tenant : (tenant ?? 0));

// pageOf is the address of a module's own page.
export const pageOf = (m: Pick<Module, 'name' | 'tenant'>) => {
  const [publisher = '', name = ''] = m.name.split('/');
  return { to: '/modules/$publisher/$name', params: { publisher, name }, search: (m.tenant ? { for: String(m.tenant) } : {}) as never } as const;
};
