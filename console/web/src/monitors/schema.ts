// The settings of a module as a form: what its JSON Schema says of each, and the JSON that is sent.

export type Kind = 'text' | 'integer' | 'number' | 'switch' | 'choice' | 'list' | 'json';

export interface Field {
  readonly name: string;
  readonly kind: Kind;
  readonly about: string;
  readonly choices: readonly string[];
  // As JSON; undefined for none.
  readonly fallback: unknown;
  readonly required: boolean;
}

type Json = Record<string, unknown>;
const object = (v: unknown): Json => (typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Json) : {});

// fieldsOf returns the settings that a schema names, in its order; none for what is no schema of an object.
export function fieldsOf(schema: string): Field[] {
  let root: Json;
  try {
    root = object(JSON.parse(schema || '{}'));
  } catch {
    return [];
  }
  const required = Array.isArray(root.required) ? root.required : [];
  return Object.entries(object(root.properties)).map(([name, of]) => {
    const p = object(of);
    return {
      name, kind: kindOf(p), about: String(p.description ?? ''), choices: Array.isArray(p.enum) ? p.enum.map(String) : [], fallback: p.default, required: required.includes(name),
    }; // prettier-ignore
  });
}

function kindOf(p: Json): Kind {
  if (Array.isArray(p.enum) && p.enum.every((v) => typeof v === 'string')) return 'choice';
  if (p.type === 'boolean') return 'switch';
  if (p.type === 'integer' || p.type === 'number') return p.type;
  if (p.type === 'string') return 'text';
  if (p.type === 'array' && object(p.items).type === 'string') return 'list';
  return 'json';
}

export type Values = Readonly<Record<string, unknown>>;

// parse reads settings; what is no JSON object is none.
export function parse(settings: string): Values {
  try {
    return object(JSON.parse(settings || '{}'));
  } catch {
    return {};
  }
}

// stringify writes settings; empty for none, which leaves those of the module.
export function stringify(values: Values): string {
  const set = Object.entries(values).filter(([, v]) => v !== undefined);
  return set.length > 0 ? JSON.stringify(Object.fromEntries(set)) : '';
}

// textOf is what stands in a field.
export function textOf(field: Field, value: unknown): string {
  if (value === undefined) return '';
  if (field.kind === 'list') return Array.isArray(value) ? value.join('\n') : '';
  return typeof value === 'string' && field.kind !== 'json' ? value : JSON.stringify(value);
}

// valueOf reads what stands in a field; undefined when nothing does. What cannot be read is handed on as text, for the
// host to say what is wrong with it.
export function valueOf(field: Field, text: string): unknown {
  if (text.trim() === '') return undefined;
  switch (field.kind) {
    case 'integer':
    case 'number':
      return Number.isFinite(Number(text)) ? Number(text) : text;
    case 'list':
      return text.split('\n').map((l) => l.trim()).filter(Boolean); // prettier-ignore
    case 'json':
      try {
        return JSON.parse(text);
      } catch {
        return text;
      }
    default:
      return text;
  }
}
