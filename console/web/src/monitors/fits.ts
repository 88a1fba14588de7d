import type { Device, Monitor } from '../gen/vedette/v1/monitor_pb';

// fits says whether a device can be asked as a monitor asks.
export function fits(m: Monitor, d: Device): boolean {
  const has: Record<string, boolean> = { vedette_http_v1: Boolean(d.http), vedette_snmp_v1: Boolean(d.snmp), vedette_ssh_v1: Boolean(d.ssh) };
  return m.targets.every((t) => t.capabilities.every((c) => has[c] ?? true));
}
