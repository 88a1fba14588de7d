// An exception as a selection of the pattern language.

export interface Line {
  readonly field: string;
  readonly value: string;
  readonly chosen: boolean;
}

// literal is a value that matches itself: * and ? would match more.
const literal = (value: string): string => value.replace(/[\\*?]/g, '\\$&');

// selectionOf is the YAML of the lines that are chosen; empty when there are none. What JSON quotes, YAML reads.
export function selectionOf(lines: readonly Line[]): string {
  const fields = new Map<string, string[]>();
  for (const l of lines) if (l.chosen) fields.set(l.field, [...(fields.get(l.field) ?? []), literal(l.value)]);
  return [...fields].map(([field, values]) => `${/^[\w.@-]+$/.test(field) ? field : JSON.stringify(field)}: ${values.length === 1 ? JSON.stringify(values[0]) : `[${values.map((v) => JSON.stringify(v)).join(', ')}]`}\n`).join(''); // prettier-ignore
}

export const terms = [
  { value: '7', label: 'for 7 days' },
  { value: '30', label: 'for 30 days' },
  { value: '90', label: 'for 90 days' },
  { value: '365', label: 'for a year' },
  { value: '0', label: 'until somebody takes it away' },
] as const;

const day = 86_400_000; // ms

// untilOf is when a term is over, in milliseconds; undefined for never.
export const untilOf = (term: string, now: number): number | undefined => (Number(term) > 0 ? now + Number(term) * day : undefined);
