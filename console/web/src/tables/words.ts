// What a table is, in words, and where its rows are.

import type { Table } from '../gen/vedette/v1/table_pb';
import { duration, plural } from '../ui/age';

export const kinds = [
  { value: 'exact', label: 'exact', about: 'byte for byte' },
  { value: 'nocase', label: 'case-insensitive', about: 'without regard to the case of ASCII letters' },
  { value: 'cidr', label: 'network', about: 'an address is found in the narrowest network that holds it' },
  { value: 'domain', label: 'domain', about: 'a name is found in the longest domain that it is, or that ends it' },
] as const;

export const formats = [
  { value: 'csv', label: 'CSV with a header line' },
  { value: 'list', label: 'Plain list, a key a line' },
  { value: 'jsonl', label: 'JSON lines, a flat object a line' },
] as const;

export const kindWord = (kind: string): string => kinds.find((k) => k.value === kind)?.label ?? kind;
export const keyOf = (t: Pick<Table, 'tenant' | 'name'>): string => `${t.tenant} ${t.name}`;
export const rowsOf = (t: Pick<Table, 'tenant' | 'name'>) => ({ to: '/tables/rows', search: { of: String(t.tenant), name: t.name } as never }) as const;

// formatOf guesses how an upload is written from its file's name and its beginning.
export function formatOf(file: string, text: string): 'csv' | 'list' | 'jsonl' {
  if (/\.(jsonl|ndjson|json)$/i.test(file)) return 'jsonl';
  if (/\.csv$/i.test(file)) return 'csv';
  const line = text.split('\n').find((l) => l.trim() !== '' && !l.startsWith('#'))?.trim() ?? ''; // prettier-ignore
  if (line.startsWith('{')) return 'jsonl';
  return line.includes(',') ? 'csv' : 'list';
}

// kindOf guesses how keys should be compared from the first ones.
export function kindOf(keys: readonly string[]): string {
  if (keys.length === 0) return 'exact';
  if (keys.every((k) => /^[0-9a-f.:]+(\/\d{1,3})?$/i.test(k) && /[.:]/.test(k) && !/^[a-z-]+\.[a-z]+$/i.test(k))) return 'cidr';
  if (keys.every((k) => /^(\*\.)?([a-z0-9_-]+\.)+[a-z][a-z0-9-]*\.?$/i.test(k))) return 'domain';
  return 'exact';
}

// nameOf is a name for a table after its file.
export const nameOf = (file: string): string => file.replace(/\.[^.]*$/, '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, ''); // prettier-ignore

export const groups = [
  { value: '', label: 'Watch list' },
  { value: 'devices', label: 'Devices' },
  { value: 'networks', label: 'Networks' },
  { value: 'users', label: 'Users' },
  { value: 'applications', label: 'Applications' },
  { value: 'event-types', label: 'Event types' },
  { value: 'malware', label: 'Malware' },
  { value: 'countries', label: 'Countries' },
] as const;

export const groupWord = (group: string): string => groups.find((g) => g.value === group)?.label ?? group;

// left says how long something still counts: "6 d 4 h more".
export function left(until: number, now: number): string {
  const ms = until - now;
  return ms <= 0 ? 'ended' : ms < 60_000 ? 'less than a minute' : `${duration(ms - (ms % 60_000))} more`;
}

const types = { ip: ['address', 'addresses'], domain: ['domain', 'domains'], url: ['URL', 'URLs'], file: ['hash', 'hashes'], email: ['mail address', 'mail addresses'] } as const;

export const typeWord = (type: string): string => types[type as keyof typeof types]?.[0] ?? type;

// counted says how many there are of each type: "3 addresses, 1,200 domains".
export const counted = (counts: Record<string, bigint>): string =>
  Object.entries(types).flatMap(([t, [one, many]]) => (counts[t] ? [plural(Number(counts[t]), one, many)] : [])).join(', '); // prettier-ignore
