// Times, counts and rates as people read them.

const units: [string, number][] = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
];

// age says how long ago a moment in milliseconds was, in its two largest units: "now", "42 s", "3 m 5 s", "2 h 10 m".
export function age(moment: number, now: number): string {
  if (!moment) return '–';
  let rest = Math.floor((now - moment) / 1000);
  if (rest < 1) return 'now';
  const parts: string[] = [];
  for (const [name, seconds] of units) {
    const n = Math.floor(rest / seconds);
    rest -= n * seconds;
    if (n > 0) parts.push(`${n} ${name}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}

// shortAge has one unit, for narrow columns: "42 s", "3 m", "2 h".
export const shortAge = (moment: number, now: number): string => age(moment, now).split(' ').slice(0, 2).join(' ');

// duration is a stretch of time in at most two units: "10 m", "1 m 3 s", "250 ms".
export function duration(ms: number): string {
  if (ms < 1_000) return ms < 1 ? '0 s' : `${Math.round(ms)} ms`;
  if (ms < 10_000 && ms % 1_000 !== 0) return `${(ms / 1_000).toFixed(1)} s`;
  let rest = Math.round(ms / 1_000);
  const out: string[] = [];
  for (const [unit, seconds] of [['d', 86_400], ['h', 3_600], ['m', 60], ['s', 1]] as const) {
    const n = Math.floor(rest / seconds);
    rest -= n * seconds;
    if (n > 0) out.push(`${n} ${unit}`);
    else if (out.length > 0) break;
    if (out.length === 2) break;
  }
  return out.join(' ');
}

// rate shows events per second with two digits that mean something.
export function rate(perSecond: number): string {
  if (perSecond < 10) return perSecond.toFixed(perSecond < 0.05 ? 0 : 1);
  return count(Math.round(perSecond));
}

const grouped = new Intl.NumberFormat('en-US');
export const count = (n: number | bigint): string => grouped.format(n);

export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

const units1024 = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

// bytes shows a size with at most one digit after the point.
export function bytes(n: number): string {
  let at = 0;
  while (n >= 1024 && at < units1024.length - 1) {
    n /= 1024;
    at++;
  }
  return `${n < 10 && at > 0 ? n.toFixed(1) : Math.round(n)} ${units1024[at]}`;
}

const absolute = new Intl.DateTimeFormat('en-GB', {
  year: 'numeric', month: 'short', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short',
});

// clock is a moment with its zone: "22 Nov 2026, 05:40:31 UTC".
export const clock = (moment: number): string => (moment ? absolute.format(moment) : '');
