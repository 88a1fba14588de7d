// What somebody types on the sending side, with the real address and token filled in.

import type { Listener } from '../gen/vedette/v1/source_pb';
import { authority, type Endpoint, endpointOf, isLoopback, powershellQuoted, shellQuoted } from '../ui/shell';

export interface Place {
  readonly listeners: readonly Pick<Listener, 'protocol' | 'address'>[];
  // How the browser reached the console.
  readonly pageHost: string;
  readonly secure: boolean;
  // Empty until one was made.
  readonly token: string;
}

export interface Command {
  readonly text: string;
  // Where it goes: "in a shell", "/etc/rsyslog.d/60-vedette.conf".
  readonly where: string;
  readonly note?: string;
  // What it sends to.
  readonly to: Endpoint;
}

export interface Sender {
  readonly id: string;
  readonly title: string;
  // Protocols that do, the best first.
  readonly protocols: readonly string[];
  readonly needsToken?: boolean;
  readonly command: (to: Endpoint, protocol: string, p: Place) => Omit<Command, 'to'>;
}

export const tokenGap = 'TOKEN'; // stands where the token will
const token = (p: Place) => p.token || tokenGap;
const url = (to: Endpoint, p: Place) => `${p.secure ? 'https' : 'http'}://${authority(to)}${to.path}`;

const tls = 'The host’s certificate must be trusted by the sender.';

export const senders: readonly Sender[] = [
  {
    id: 'logger', title: 'logger', protocols: ['syslog-udp', 'syslog-tcp'],
    command: (to, protocol) => ({
      where: 'in a shell on Linux',
      text: `logger --server ${shellQuoted(to.host)} --port ${to.port} --${protocol === 'syslog-tcp' ? 'tcp' : 'udp'} --rfc5424 --tag vedette-test "hello from $(hostname)"`,
      note: 'Sends one test line.',
    }),
  },
  {
    id: 'curl', title: 'curl', protocols: ['http'], needsToken: true,
    command: (to, _, p) => ({
      where: 'in a shell',
      text: `echo "hello from $(hostname)" | curl --fail-with-body -H ${shellQuoted(`Authorization: Bearer ${token(p)}`)} -H 'Content-Type: text/plain' --data-binary @- ${shellQuoted(url(to, p))}`,
      note: 'Each line of the body is a record. Objects go as application/x-ndjson or application/json.',
    }),
  },
  {
    id: 'rsyslog', title: 'rsyslog', protocols: ['syslog-tcp', 'syslog-udp'],
    command: (to, protocol) => ({
      where: '/etc/rsyslog.d/60-vedette.conf, then systemctl restart rsyslog',
      text: [
        '*.* action(type="omfwd"',
        `  target="${to.host}" port="${to.port}" protocol="${protocol === 'syslog-tcp' ? 'tcp' : 'udp'}"`,
        ...(protocol === 'syslog-tcp' ? ['  TCP_Framing="octet-counted"'] : []),
        '  template="RSYSLOG_SyslogProtocol23Format"',
        '  queue.type="LinkedList" queue.filename="vedette" queue.saveOnShutdown="on"',
        '  action.resumeRetryCount="-1")',
      ].join('\n'),
      note: 'Keeps records on disk while this host is away.',
    }),
  },
  {
    id: 'syslog-ng', title: 'syslog-ng', protocols: ['syslog-tcp', 'syslog-udp'],
    command: (to, protocol) => ({
      where: '/etc/syslog-ng/conf.d/vedette.conf, then systemctl restart syslog-ng',
      text: [
        'destination d_vedette {',
        `  syslog("${to.host}" port(${to.port}) transport("${protocol === 'syslog-tcp' ? 'tcp' : 'udp'}"));`,
        '};',
        'log { source(s_src); destination(d_vedette); };',
      ].join('\n'),
      note: 's_src is the local source of Debian; elsewhere it is s_sys.',
    }),
  },
  {
    id: 'fortigate', title: 'FortiGate', protocols: ['syslog-udp', 'syslog-tcp'],
    command: (to, protocol) => ({
      where: 'in the FortiGate’s CLI',
      text: [
        'config log syslogd setting',
        '    set status enable',
        `    set server "${to.host}"`,
        `    set port ${to.port}`,
        `    set mode ${protocol === 'syslog-tcp' ? 'reliable' : 'udp'}`,
        '    set format default',
        'end',
      ].join('\n'),
      note: 'diagnose log test sends a few lines at once.',
    }),
  },
  {
    id: 'powershell', title: 'PowerShell', protocols: ['http'], needsToken: true,
    command: (to, _, p) => ({
      where: 'in an elevated PowerShell on Windows',
      text: [
        `$token = ${powershellQuoted(token(p))}`,
        "$body = Get-WinEvent -LogName Security -MaxEvents 20 | ForEach-Object { $_.ToXml() -replace '[\\r\\n]+', ' ' }",
        `Invoke-RestMethod -Method Post -Uri ${powershellQuoted(url(to, p))} -ContentType 'text/plain; charset=utf-8' \``,
        '  -Headers @{ Authorization = "Bearer $token" } `',
        '  -Body ([Text.Encoding]::UTF8.GetBytes($body -join "`n"))',
      ].join('\n'),
      note: 'Sends the 20 newest events of the security log once. For all of them, use NXLog.',
    }),
  },
  {
    id: 'nxlog', title: 'NXLog', protocols: ['http'], needsToken: true,
    command: (to, _, p) => ({
      where: 'nxlog.conf on Windows, then restart the service nxlog',
      text: [
        '<Extension json>', '    Module  xm_json', '</Extension>',
        '<Input windows>', '    Module  im_msvistalog', '</Input>',
        '<Output vedette>', '    Module       om_http', `    URL          ${url(to, p)}`, '    ContentType  application/json',
        `    AddHeader    Authorization: Bearer ${token(p)}`, '    Exec         to_json();', ...(p.secure ? ['    HTTPSRequireCert TRUE'] : []), '</Output>',
        '<Route all>', '    Path    windows => vedette', '</Route>',
      ].join('\n'),
      note: 'Windows events as JSON, one for each request.',
    }),
  },
]; // prettier-ignore

// commandOf fills in where an organization's records are taken; undefined when no listener of it does.
export function commandOf(sender: Sender, place: Place): Command | undefined {
  for (const protocol of sender.protocols) {
    const listener = place.listeners.find((l) => l.protocol === protocol);
    if (!listener) continue;
    const to = endpointOf(listener.address, place.pageHost);
    const made = sender.command(to, protocol, place);
    const notes = [made.note, protocol === 'http' && place.secure ? tls : ''].filter(Boolean).join(' ');
    return { ...made, to, ...(notes ? { note: notes } : {}) };
  }
  return undefined;
}

// localOnly says that only this machine can reach an address.
export const localOnly = (to: Endpoint): boolean => isLoopback(to.host);

const names: Record<string, string> = { 'syslog-udp': 'Syslog over UDP', 'syslog-tcp': 'Syslog over TCP', 'syslog-tls': 'Syslog over TLS', http: 'HTTP' };

export const protocolName = (protocol: string): string => names[protocol] ?? protocol;
