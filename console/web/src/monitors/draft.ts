// A watch as somebody is writing it, and what is sent of it.

import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Command, CommandSchema, Monitor, Watch, WatchSchema } from '../gen/vedette/v1/monitor_pb';
import { parseSpan, span } from './duration';
import { parse, stringify, type Values } from './schema';

export interface Draft {
  readonly tenant: number;
  readonly id: string;
  readonly module: string;
  readonly device: string;
  // As people write spans; empty: what the monitor says.
  readonly interval: string;
  readonly jitter: string;
  readonly timeout: string;
  readonly values: Values;
  // "80, 443".
  readonly ports: string;
  // A line each: "running: show running-config".
  readonly commands: string;
}

const own = (ms: bigint): string => (ms ? span(Number(ms)) : '');

// commandsText writes commands as a person edits them.
export const commandsText = (list: readonly Pick<Command, 'id' | 'run'>[]): string => list.map((c) => `${c.id}: ${c.run}`).join('\n');

// draftOf is a watch that is there.
export function draftOf(w: Watch): Draft {
  const first = w.targets[0];
  return {
    tenant: w.tenant, id: w.id, module: w.module, device: first?.device ?? '', interval: own(w.intervalMs), jitter: own(w.jitterMs), timeout: own(w.timeoutMs),
    values: parse(w.settings), ports: w.targets.flatMap((t) => t.ports).join(', '), commands: commandsText(w.targets.flatMap((t) => t.commands)),
  }; // prettier-ignore
}

// blank is a new watch of a monitor: it may do what the monitor asks for.
export function blank(tenant: number, device: string, m: Monitor | undefined): Draft {
  return {
    tenant, device, module: m?.module ?? '', id: device && m ? `${device}-${m.module.split('/')[1]}`.replace(/\s+/g, '-') : '', interval: '', jitter: '', timeout: '',
    values: parse(m?.settings ?? ''), ports: m?.targets.flatMap((t) => t.ports).join(', ') ?? '', commands: commandsText(m?.targets.flatMap((t) => t.commands) ?? []),
  }; // prettier-ignore
}

// problemsOf says what cannot be sent as it stands, by field.
export function problemsOf(d: Draft): Partial<Record<keyof Draft, string>> {
  const out: Partial<Record<keyof Draft, string>> = {};
  for (const name of ['interval', 'jitter', 'timeout'] as const) if (parseSpan(d[name]) === undefined) out[name] = 'Write it as 30s, 5m or 1h 30m.';
  if (d.id === '' || /\s/.test(d.id)) out.id = 'Give it a name without blanks.';
  if (d.device === '') out.device = 'Choose the device that it polls.';
  if (d.module === '') out.module = 'Choose a monitor.';
  if (portsOf(d.ports) === undefined) out.ports = 'Write numbers from 1 to 65535 with commas between them.';
  if (commandsOf(d.commands) === undefined) out.commands = 'Write each on a line of its own: a name, a colon, the command.';
  return out;
}

// portsOf reads ports; undefined for what are none.
export function portsOf(text: string): number[] | undefined {
  const list = text.split(/[\s,]+/).filter(Boolean).map(Number); // prettier-ignore
  return list.every((n) => Number.isInteger(n) && n > 0 && n < 65_536) ? list : undefined;
}

// commandsOf reads commands; undefined for what are none.
export function commandsOf(text: string): { id: string; run: string }[] | undefined {
  const out: { id: string; run: string }[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const at = line.indexOf(':');
    const [id, run] = [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    if (at < 1 || !id || !run) return undefined;
    out.push({ id, run });
  }
  return out;
}

interface Asked {
  watch: MessageInitShape<typeof WatchSchema>;
  device?: string;
  ports?: number[];
  commands?: MessageInitShape<typeof CommandSchema>[];
}

// requestOf is what is tried and applied. What a watch may reach is sent as it stands unless the draft says it anew: only
// then is it a grant, which needs an admin.
export function requestOf(d: Draft, before: Watch | undefined): Asked {
  const was = before && draftOf(before);
  const same = before && was && was.device === d.device && was.module === d.module && was.ports === d.ports && was.commands === d.commands;
  const ms = (text: string) => BigInt(parseSpan(text) ?? 0);
  const watch = {
    tenant: d.tenant, id: d.id, module: d.module, intervalMs: ms(d.interval), jitterMs: ms(d.jitter), timeoutMs: ms(d.timeout), settings: stringify(d.values),
    off: before?.off ?? false, targets: same ? before.targets : [],
  }; // prettier-ignore
  if (same) return { watch };
  const known = new Map(before?.targets.flatMap((t) => t.commands).map((c) => [c.id, c.args]));
  return { watch, device: d.device, ports: portsOf(d.ports) ?? [], commands: (commandsOf(d.commands) ?? []).map((c) => ({ ...c, args: known.get(c.id) ?? [] })) };
}
