// An event's fields as they are listed: grouped by their first word, with lists as lists, and as parts of a query.

export interface Field {
  readonly name: string;
  // As stored: a list is a JSON array as text.
  readonly value: string;
  // What a list holds; undefined when the value is no list.
  readonly list: readonly string[] | undefined;
}

export interface Group {
  readonly title: string;
  readonly fields: readonly Field[];
}

// What most people look for first; everything else follows by name.
const order = ['event', 'host', 'user', 'source', 'destination', 'process', 'file', 'url', 'http', 'network', 'observer', 'rule'];
const own = 'vedette'; // what the host itself noted stands last

const firstWord = (name: string): string => {
  const dot = name.indexOf('.');
  return dot < 0 ? 'other' : name.slice(0, dot);
};

function place(title: string): number {
  if (title === own) return 2_000;
  if (title === 'other') return 1_999;
  const at = order.indexOf(title);
  return at < 0 ? 1_000 : at;
}

// listOf returns what a list-valued field holds.
export function listOf(value: string): readonly string[] | undefined {
  if (!value.startsWith('[') || !value.endsWith(']')) return undefined;
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) && list.every((v) => typeof v === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

export function groupFields(fields: Readonly<Record<string, string>>): Group[] {
  const groups = new Map<string, Field[]>();
  for (const [name, value] of Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const title = firstWord(name);
    const group = groups.get(title) ?? [];
    group.push({ name, value, list: listOf(value) });
    groups.set(title, group);
  }
  return [...groups]
    .map(([title, of]) => ({ title, fields: of }))
    .sort((a, b) => place(a.title) - place(b.title) || (a.title < b.title ? -1 : 1));
}

// quoted is a value or a name as LogsQL reads it whatever is in it.
export const quoted = (s: string): string => JSON.stringify(s);

const plainName = /^[A-Za-z_@][\w.@]*$/;

// Filter asks for events that have, or do not have, this value of a field; one is a value out of a list.
export interface Filter {
  readonly field: string;
  readonly value: string;
  readonly exclude?: boolean;
  readonly one?: boolean;
}

// condition is a filter in LogsQL. Lists are stored as text, so one of their values is looked for as a phrase in it.
export function condition({ field, value, exclude, one }: Filter): string {
  return `${exclude ? '-' : ''}${plainName.test(field) ? field : quoted(field)}:${one ? '' : '='}${quoted(value)}`;
}

// Fields by which what happened around an event is found, the best first.
const anchors = ['host.name', 'host.hostname', 'observer.name', 'source.ip', 'user.name', 'destination.ip', 'vedette.source'];

// aroundOf selects what the same host, or as good as that is known, sent.
export function aroundOf(fields: Readonly<Record<string, string>>): { query: string; what: string } {
  const name = anchors.find((a) => fields[a]);
  if (!name) return { query: '*', what: 'everything' };
  const list = listOf(fields[name]!);
  const value = list?.[0] ?? fields[name]!;
  return { query: condition({ field: name, value, one: list !== undefined }), what: value };
}

// asJSON is the event as one document: its fields by name, lists as lists.
export function asJSON(fields: Readonly<Record<string, string>>): string {
  const out = Object.entries(fields)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, listOf(value) ?? value]);
  return JSON.stringify(Object.fromEntries(out), null, 2);
}

// pretty is a record that is JSON with a line for each of its members; undefined when it is none.
export function pretty(raw: string): string | undefined {
  const text = raw.trim();
  if (!/^[[{]/.test(text)) return undefined;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return undefined;
  }
}
