// Spans of time as people write them.

const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

// parseSpan reads "90s", "1 m 30 s" or "1h"; a bare number is seconds. Empty is 0; undefined for what is no span.
export function parseSpan(text: string): number | undefined {
  const words = text.trim().toLowerCase();
  if (words === '') return 0;
  if (/^\d+(\.\d+)?$/.test(words)) return Math.round(Number(words) * 1_000);
  if (!/^(\d+(\.\d+)?\s*(ms|s|m|h|d)\s*)+$/.test(words)) return undefined;
  let sum = 0;
  for (const [, n, unit] of words.matchAll(/(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)/g)) sum += Number(n) * units[unit!]!;
  return Math.round(sum);
}

// span writes milliseconds in their two largest units: "1 m 30 s", "1 h", "250 ms".
export function span(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  const parts: string[] = [];
  let rest = ms;
  for (const unit of ['d', 'h', 'm', 's']) {
    const n = Math.floor(rest / units[unit]!);
    rest -= n * units[unit]!;
    if (n > 0) parts.push(`${n} ${unit}`);
  }
  return parts.slice(0, 2).join(' ');
}
