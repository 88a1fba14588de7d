// Firings by hour.

const hour = 3_600; // s
const shown = 168; // hours, a week

// hoursOf fills the hours without firings; now is the beginning, in seconds, of the hour at hand.
export function hoursOf(hours: readonly { readonly at: number; readonly fires: number }[], now: number): { times: number[]; values: number[] } {
  const fires = new Map<number, number>();
  for (const h of hours) fires.set(Math.floor(h.at / hour) * hour, h.fires);
  const times = Array.from({ length: shown }, (_, i) => now - (shown - 1 - i) * hour);
  return { times, values: times.map((t) => fires.get(t) ?? 0) };
}
