const units: [string, number][] = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
];

// age says how long ago a moment was, in its two largest units: "now", "42 s", "3 m 5 s", "2 h 10 m", "4 d 1 h".
export function age(moment: string | undefined, now: number): string {
  const at = moment ? Date.parse(moment) : NaN;
  if (Number.isNaN(at)) return '–';
  let rest = Math.floor((now - at) / 1000);
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

// rate shows events per second with two digits that mean something.
export function rate(perSecond: number): string {
  if (perSecond < 10) return perSecond.toFixed(perSecond < 0.05 ? 0 : 1);
  return Math.round(perSecond).toLocaleString('en-US');
}
