// Watches and devices as the page lists them.

import type { Device, WatchEntry } from '../gen/vedette/v1/monitor_pb';
import { millis } from '../live/row';

// How a watch is doing. failing: its newest poll failed; idle: its module does not run; waiting: it has not polled yet.
export type Health = 'failing' | 'idle' | 'waiting' | 'ok' | 'off';

export interface Row {
  readonly key: string;
  readonly entry: WatchEntry;
  readonly tenant: number;
  readonly id: string;
  readonly module: string;
  readonly devices: readonly string[];
  readonly health: Health;
  // Why it fails; empty when it does not.
  readonly error: string;
  // Milliseconds since 1970; 0 for never.
  readonly last: number;
  readonly good: number;
  readonly next: number;
  // Milliseconds.
  readonly interval: number;
  readonly took: number;
  readonly polls: number;
  readonly failures: number;
}

export function rowOf(entry: WatchEntry): Row {
  const watch = entry.watch!;
  const state = entry.state!;
  return {
    key: `${watch.tenant} ${watch.id}`, entry, tenant: watch.tenant, id: watch.id, module: watch.module, devices: [...new Set(watch.targets.map((t) => t.device))],
    health: healthOf(entry), error: state.streak > 0n ? state.error : '', last: millis(state.last), good: millis(state.lastGood), next: state.runs ? millis(state.next) : 0,
    interval: Number(state.intervalMs || watch.intervalMs), took: Number(state.tookMs), polls: Number(state.polls), failures: Number(state.failures),
  }; // prettier-ignore
}

function healthOf({ watch, state }: WatchEntry): Health {
  if (watch!.off) return 'off';
  if (!state!.runs) return 'idle';
  if (state!.polls === 0n) return 'waiting';
  return state!.streak > 0n ? 'failing' : 'ok';
}

// The worst comes first. A poll that went well may have found that a service is down: that is for its events to say.
const order: readonly Health[] = ['failing', 'idle', 'waiting', 'ok', 'off'];
export const words: Record<Health, string> = { failing: 'failing', idle: 'no module', waiting: 'waiting', ok: 'polled', off: 'off' };
export const tones: Partial<Record<Health, 'warn' | 'bad'>> = { failing: 'bad', idle: 'warn' };

export interface Filter {
  // failing, or empty for all.
  readonly show: string;
  readonly text: string;
}

export function select(rows: readonly Row[], { show, text }: Filter): Row[] {
  const word = text.trim().toLowerCase();
  return rows.filter((r) => (show !== 'failing' || r.health === 'failing') && (word === '' || `${r.id} ${r.module} ${r.devices.join(' ')}`.toLowerCase().includes(word)));
}

const values: Record<string, (r: Row) => number | string> = {
  id: (r) => r.id,
  module: (r) => r.module,
  device: (r) => r.devices.join(' '),
  state: (r) => order.indexOf(r.health),
  last: (r) => r.last,
  interval: (r) => r.interval,
  took: (r) => r.took,
  failures: (r) => r.failures,
};

// matesOf returns the other watches of the same monitor and device, from whose events those of this one cannot be told.
export const matesOf = (row: Row, rows: readonly Row[]): Row[] =>
  rows.filter((r) => r !== row && r.tenant === row.tenant && r.module === row.module && r.devices[0] === row.devices[0] && r.key !== row.key);

// sorted orders rows by a column, "-" before it for descending; what is equal stays in the order of its id.
export function sorted(rows: readonly Row[], by: string): Row[] {
  const sign = by.startsWith('-') ? -1 : 1;
  const value = values[by.replace(/^-/, '')] ?? values.state!;
  return rows.toSorted((a, b) => {
    const [x, y] = [value(a), value(b)];
    return x === y ? (a.key < b.key ? -1 : 1) : x < y ? -sign : sign;
  });
}

export interface DeviceRow {
  readonly key: string;
  readonly device: Device;
  readonly watches: readonly Row[];
  // Of its watches the worst; undefined when nothing polls it.
  readonly health: Health | undefined;
  // When it last answered, in milliseconds since 1970; 0 for never.
  readonly good: number;
  // When it is asked next.
  readonly next: number;
  readonly error: string;
}

// devicesOf tells of each device what its watches say of it.
export function devicesOf(devices: readonly Device[], watches: readonly Row[]): DeviceRow[] {
  const by = new Map<string, Row[]>();
  for (const w of watches) for (const d of w.devices) by.set(`${w.tenant} ${d}`, [...(by.get(`${w.tenant} ${d}`) ?? []), w]);
  return devices.map((device) => {
    const key = `${device.tenant} ${device.name}`;
    const mine = (by.get(key) ?? []).toSorted((a, b) => order.indexOf(a.health) - order.indexOf(b.health));
    const soon = mine.map((w) => w.next).filter(Boolean);
    return {
      key, device, watches: mine, health: mine[0]?.health, good: Math.max(0, ...mine.map((w) => w.good)), next: soon.length > 0 ? Math.min(...soon) : 0, error: mine.find((w) => w.error)?.error ?? '',
    }; // prettier-ignore
  });
}

// reachOf says how a device is asked.
export const reachOf = (d: Device): string => [d.http && 'HTTP', d.snmp && 'SNMP', d.ssh && 'SSH'].filter(Boolean).join(', ') || 'probes only';
