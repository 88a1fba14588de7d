// What a module did over time, laid out minute by minute.

import type { ModuleMinute } from '../gen/vedette/v1/module_pb';
import { millis } from '../live/row';

const minute = 60; // seconds
const mebi = 1 << 20;

export interface History {
  // Seconds since 1970, one for each minute.
  readonly times: readonly number[];
  readonly fuel: readonly number[];
  readonly records: readonly number[];
  readonly errors: readonly number[];
  // MiB; null before anything is known.
  readonly memory: readonly (number | null)[];
}

// historyOf lays minutes out over the last ones before now, in milliseconds. Where it did nothing it kept its memory.
export function historyOf(minutes: readonly ModuleMinute[], now: number, span: number): History {
  const last = Math.floor(now / 60_000) * minute;
  const first = last - (span - 1) * minute;
  const times = Array.from({ length: span }, (_, i) => first + i * minute);
  const at = new Map(minutes.map((m) => [Math.floor(millis(m.at) / 1_000), m]));
  const figures = (of: (m: ModuleMinute) => bigint) => times.map((t) => Number(at.has(t) ? of(at.get(t)!) : 0n));
  let held = minutes.findLast((m) => millis(m.at) / 1_000 < first)?.memoryBytes;
  const memory = times.map((t) => {
    held = at.get(t)?.memoryBytes ?? held;
    return held === undefined ? null : Number(held) / mebi;
  });
  return { times, fuel: figures((m) => m.fuel), records: figures((m) => m.records), errors: figures((m) => m.errors), memory };
}
