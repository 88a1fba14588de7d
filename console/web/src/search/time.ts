// Times of a search: relative and absolute ranges, in a zone that the person chooses.

const unit: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const unitNames: Record<string, string> = { s: 'second', m: 'minute', h: 'hour', d: 'day', w: 'week' };

export const ranges = ['5m', '15m', '1h', '24h', '7d'] as const;

// duration reads "15m" as milliseconds; undefined when it is none.
export function duration(text: string): number | undefined {
  const m = /^(\d{1,6})([smhdw])$/.exec(text.trim());
  return m && Number(m[1]) > 0 ? Number(m[1]) * unit[m[2]!]! : undefined;
}

// inWords is "Last 15 minutes".
export function inWords(range: string): string {
  const m = /^(\d+)([smhdw])$/.exec(range);
  if (!m) return range;
  const n = Number(m[1]);
  return `Last ${n === 1 ? '' : `${n} `}${unitNames[m[2]!]}${n === 1 ? '' : 's'}`;
}

export interface Range {
  // Milliseconds; from inclusive, to exclusive, undefined for "up to now and beyond".
  from: number;
  to: number | undefined;
}

const fallback = 3_600_000;

// rangeOf is what an address asks for at a moment. What cannot be read counts as not there.
export function rangeOf(p: { range: string; from: string; to: string }, now: number): Range {
  const from = Date.parse(p.from);
  const to = Date.parse(p.to);
  if (!Number.isNaN(from)) return { from, to: Number.isNaN(to) || to <= from ? undefined : to };
  return { from: now - (duration(p.range) ?? fallback), to: undefined };
}

const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
export const zoneName = (zone: string): string => zone || here;
export const isZone = (zone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
};
export const zones = (): string[] => ['UTC', ...Intl.supportedValuesOf('timeZone').filter((z) => z !== 'UTC')];

const formats = new Map<string, Intl.DateTimeFormat>();
function format(zone: string): Intl.DateTimeFormat {
  let f = formats.get(zone);
  if (!f) {
    f = new Intl.DateTimeFormat('en-GB', {
      timeZone: isZone(zoneName(zone)) ? zoneName(zone) : 'UTC',
      year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZoneName: 'shortOffset',
    }); // prettier-ignore
    formats.set(zone, f);
  }
  return f;
}

interface Wall {
  date: string;
  time: string;
  offset: string;
}

function wallOf(ms: number, zone: string): Wall {
  const p = Object.fromEntries(format(zone).formatToParts(ms).map((x) => [x.type, x.value]));
  return { date: `${p.year}-${p.month}-${p.day}`, time: `${p.hour}:${p.minute}:${p.second}`, offset: p.timeZoneName! };
}

// stamp is a moment in a zone as it is typed: "2026-11-22 05:40:31".
export function stamp(ms: number, zone: string): string {
  const w = wallOf(ms, zone);
  return `${w.date} ${w.time}`;
}

// timeOfDay is for narrow columns: "05:40:31.123"; dayAndTime has the day before it.
export const timeOfDay = (ms: number, zone: string): string => wallOf(ms, zone).time + fraction(ms);
export const dayAndTime = (ms: number, zone: string): string => `${wallOf(ms, zone).date.slice(5)} ${timeOfDay(ms, zone)}`;
// whole is for titles: everything, with the zone's distance from UTC.
export const whole = (ms: number, zone: string): string => {
  const w = wallOf(ms, zone);
  return `${w.date} ${w.time}${fraction(ms)} ${fromUTC(w)}`;
};
const fraction = (ms: number): string => `.${String(((ms % 1000) + 1000) % 1000).padStart(3, '0')}`;
const fromUTC = (w: Wall): string => w.offset.replace(/^GMT(\+0$)?/, 'UTC');

// offset is how far a zone's clocks are from UTC: "UTC+9".
export const offset = (ms: number, zone: string): string => fromUTC(wallOf(ms, zone));

// offsetAt is how far a zone's clocks are ahead of UTC at a moment, in milliseconds.
function offsetAt(ms: number, zone: string): number {
  const w = wallOf(ms, zone);
  return Date.parse(`${w.date}T${w.time}Z`) - Math.floor(ms / 1000) * 1000;
}

const typed = /^(?:(\d{4})-(\d{1,2})-(\d{1,2})[ T]?)?(?:(\d{1,2}):(\d{2})(?::(\d{2}))?)?$/;

// parseTime reads what a person types, as clocks in the zone show it: "2026-11-22 05:40:31", "2026-11-22", "05:40"
// (today), "-15m", "now", or a moment with its own zone (RFC 3339). A time that clocks jump over is taken for the moment
// after the jump, one that they show twice for the first of both. undefined when it is none of these.
export function parseTime(text: string, zone: string, now: number): number | undefined {
  const t = text.trim();
  if (t === 'now') return now;
  if (/^-?\d+[smhdw]$/.test(t)) {
    const d = duration(t.replace('-', ''));
    return d === undefined ? undefined : now - d;
  }
  if (/^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:?\d{2})$/i.test(t)) {
    const ms = Date.parse(t);
    return Number.isNaN(ms) ? undefined : ms;
  }
  const m = typed.exec(t);
  if (!m || t === '') return undefined;
  const [today] = stamp(now, zone).split(' ');
  const [y, mo, d] = m[1] ? [Number(m[1]), Number(m[2]), Number(m[3])] : (today!.split('-').map(Number) as [number, number, number]);
  const [h, mi, s] = [Number(m[4] ?? 0), Number(m[5] ?? 0), Number(m[6] ?? 0)];
  const wall = Date.UTC(y, mo - 1, d, h, mi, s);
  const back = new Date(wall);
  if (back.getUTCDate() !== d || back.getUTCMonth() !== mo - 1 || h > 23 || mi > 59 || s > 59) return undefined;
  // The offset is that of one of both sides of a change: the first moment that shows the wall time, if any does.
  const day = 86_400_000;
  const before = wall - offsetAt(wall - day, zone);
  const after = wall - offsetAt(wall + day, zone);
  for (const ms of [Math.min(before, after), Math.max(before, after)]) {
    if (ms + offsetAt(ms, zone) === wall) return ms;
  }
  return before; // jumped over: as far behind the jump as it was meant to be
}
