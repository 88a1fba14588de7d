// Sample records of the wizard: what was pasted, line by line, and what was taken from the log store, byte by byte.

export const limits = { samples: 200, bytes: 64 << 10 };

const encoder = new TextEncoder();

export interface Samples {
  readonly records: readonly Uint8Array[];
  // Lines over a limit, which are not among the records.
  readonly leftOut: number;
}

// collect puts records that were taken before those that were pasted, one for each line that is not empty.
export function collect(taken: readonly Uint8Array[], pasted: string): Samples {
  const lines = pasted.split(/\r?\n/).filter((l) => l.trim() !== '');
  const all = [...taken, ...lines.map((l) => encoder.encode(l))];
  const records = all.filter((r) => r.length <= limits.bytes).slice(0, limits.samples);
  return { records, leftOut: all.length - records.length };
}

// nameOf proposes a module's name from what a spec says of itself: its first program, else its prefix.
export function nameOf(spec: string): string {
  const program = /^programs:\s*\[?\s*"?([^\s"',\]]+)/m.exec(spec)?.[1];
  const prefix = /^prefix:\s*"?([^\s"'#]+)/m.exec(spec)?.[1];
  return slug(program ?? prefix ?? '') || 'custom';
}

// slug makes a module's name of a word: lower-case letters, digits and dashes.
export const slug = (word: string): string =>
  word.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^[-0-9]+|-+$/g, '').slice(0, 63);

export const isName = (name: string): boolean => /^[a-z][a-z0-9-]{0,62}$/.test(name) && !name.endsWith('-');

export type Outcome = 'read' | 'unread' | 'failed';

// outcomeOf says what became of a record.
export function outcomeOf(result: { error: string; events: readonly unknown[] }): Outcome {
  if (result.error === '') return result.events.length > 0 ? 'read' : 'unread';
  return result.error === 'not mine' ? 'unread' : 'failed';
}
