import { describe, expect, it } from 'vitest';
import { commandOf, localOnly, type Place, senders, tokenGap } from './commands';

const place: Place = {
  listeners: [
    { protocol: 'syslog-udp', address: '0.0.0.0:5514' },
    { protocol: 'syslog-tcp', address: '[::]:5515' },
    { protocol: 'http', address: '127.0.0.1:8080/v1/ingest' },
  ],
  pageHost: 'siem.example',
  secure: false,
  token: "abc'def",
};

const of = (id: string, p: Place = place) => commandOf(senders.find((s) => s.id === id)!, p);

describe('commands', () => {
  it('name the host that the reader can reach, and the port of the listener', () => {
    expect(of('logger')!.text).toContain('--server siem.example --port 5514 --udp');
    expect(of('rsyslog')!.text).toContain('target="siem.example" port="5515" protocol="tcp"');
    expect(of('fortigate')!.text).toContain('set server "siem.example"\n    set port 5514\n    set mode udp');
    expect(of('syslog-ng')!.text).toContain('syslog("siem.example" port(5515) transport("tcp"))');
    expect(of('curl')!.text).toContain('http://127.0.0.1:8080/v1/ingest');
    expect(of('curl', { ...place, secure: true })!.text).toContain('https://');
  });
  it('quote the token for the shell that they are for', () => {
    expect(of('curl')!.text).toContain(`'Authorization: Bearer abc'\\''def'`);
    expect(of('powershell')!.text).toContain("$token = 'abc''def'");
    expect(of('curl', { ...place, token: '' })!.text).toContain(`Bearer ${tokenGap}`);
  });
  it('take the next best protocol, or none', () => {
    const tcp = { ...place, listeners: place.listeners.filter((l) => l.protocol === 'syslog-tcp') };
    expect(of('logger', tcp)!.text).toContain('--tcp');
    expect(of('curl', tcp)).toBeUndefined();
  });
  it('every one of them can be made', () => {
    for (const s of senders) expect(commandOf(s, place)?.text, s.id).toMatch(/siem\.example|127\.0\.0\.1/);
  });
  it('say when only this machine can be reached', () => {
    expect(localOnly(of('curl')!.to)).toBe(true);
    expect(localOnly(of('logger')!.to)).toBe(false);
  });
});
