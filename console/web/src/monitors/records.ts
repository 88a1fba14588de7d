// A record of a trial, as a person reads it: flat fields of its JSON, or its text.

export interface Told {
  readonly message: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly text: string;
}

// textOfRecord reads a record.
export function textOfRecord(record: Uint8Array): Told {
  const text = new TextDecoder().decode(record);
  let doc: unknown;
  try {
    doc = JSON.parse(text);
  } catch {
    return { message: '', fields: [], text };
  }
  if (typeof doc !== 'object' || doc === null || Array.isArray(doc)) return { message: '', fields: [], text };
  const fields = flat(doc as Record<string, unknown>, '');
  return { message: fields.find(([n]) => n === 'message')?.[1] ?? '', fields: fields.filter(([n]) => n !== 'message'), text };
}

function flat(doc: Record<string, unknown>, prefix: string): [string, string][] {
  return Object.entries(doc).flatMap(([name, value]): [string, string][] => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return flat(value as Record<string, unknown>, `${prefix}${name}.`);
    return [[prefix + name, Array.isArray(value) ? value.join(', ') : String(value)]];
  });
}
