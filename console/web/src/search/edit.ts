// Facets and the query text are one thing: what a person switches on beside the list is written into the query as a
// condition that can be read, and what stands in the query as such a condition is shown as switched on.

export interface Parts {
  filter: string;
  // With the first "|", or empty.
  pipes: string;
}

// closing returns where what opens at a position ends: behind the closing quote or bracket, or at the end of the text.
function closing(text: string, at: number): number {
  const open = text[at]!;
  if (open === '"' || open === "'" || open === '`') {
    let i = at + 1;
    while (i < text.length && text[i] !== open) i += text[i] === '\\' && open !== '`' ? 2 : 1;
    return Math.min(i + 1, text.length);
  }
  let i = at + 1;
  while (i < text.length) {
    if (')]}'.includes(text[i]!)) return i + 1;
    i = '"\'`([{'.includes(text[i]!) ? closing(text, i) : i + 1;
  }
  return text.length;
}

// split parts a query at its first pipe.
export function split(text: string): Parts {
  let i = 0;
  while (i < text.length && text[i] !== '|') i = '"\'`([{'.includes(text[i]!) ? closing(text, i) : i + 1;
  return { filter: text.slice(0, i).trim(), pipes: text.slice(i).trim() };
}

// termsOf parts a filter at the spaces that stand between its conditions. A colon or a sign belongs to what follows.
export function termsOf(filter: string): string[] {
  const terms: string[] = [];
  let from = 0;
  let i = 0;
  const push = () => {
    if (i > from) terms.push(filter.slice(from, i));
  };
  while (i < filter.length) {
    const c = filter[i]!;
    if ('"\'`([{'.includes(c)) i = closing(filter, i);
    else if (/\s/.test(c) && !/(^|\s)[-!]$|[:=<>~]$/.test(filter.slice(from, i)) && !/^\s*[:=]/.test(filter.slice(i))) {
      push();
      while (i < filter.length && /\s/.test(filter[i]!)) i++;
      from = i;
    } else i++;
  }
  push();
  return terms;
}

const quoted = (s: string): string => JSON.stringify(s);
const nameOf = (field: string): string => (/^[A-Za-z_@][\w.@]*$/.test(field) ? field : quoted(field));

interface Condition {
  field: string;
  values: string[];
  exclude: boolean;
}

const name = String.raw`(?<field>[A-Za-z_@][\w.@]*|"(?:[^"\\]|\\.)*")`;
const string = String.raw`"(?:[^"\\]|\\.)*"`;
const one = new RegExp(String.raw`^(?<not>[-!]?)${name}:=(?<value>${string}|[\w.@-]+)$`);
const many = new RegExp(String.raw`^(?<not>[-!]?)${name}:in\((?<values>\s*${string}\s*(?:,\s*${string}\s*)*)\)$`);

function unquoted(text: string): string | undefined {
  if (!text.startsWith('"')) return text;
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined; // an escape that JSON does not have
  }
}

// conditionOf reads a term that asks for values of one field; other terms are left alone.
function conditionOf(term: string): Condition | undefined {
  const m = one.exec(term) ?? many.exec(term);
  if (!m?.groups) return undefined;
  const field = unquoted(m.groups.field!);
  const texts = m.groups.value ? [m.groups.value] : m.groups.values!.match(new RegExp(string, 'g'))!;
  const values = texts.map(unquoted);
  if (field === undefined || values.some((v) => v === undefined)) return undefined;
  return { field, values: values as string[], exclude: m.groups.not !== '' };
}

function write({ field, values, exclude }: Condition): string {
  const what = values.length === 1 ? `=${quoted(values[0]!)}` : `in(${values.map(quoted).join(', ')})`;
  return `${exclude ? '-' : ''}${nameOf(field)}:${what}`;
}

const isChoice = (terms: readonly string[]): boolean => terms.some((t) => /^or$/i.test(t));

export interface Chosen {
  include: ReadonlySet<string>;
  exclude: ReadonlySet<string>;
}

// chosen returns which values a query asks for or leaves out, by field.
export function chosen(text: string): Map<string, Chosen> {
  const out = new Map<string, { include: Set<string>; exclude: Set<string> }>();
  const terms = termsOf(split(text).filter);
  if (isChoice(terms)) return out;
  for (const c of terms.map(conditionOf)) {
    if (!c) continue;
    const of = out.get(c.field) ?? { include: new Set(), exclude: new Set() };
    for (const v of c.values) of[c.exclude ? 'exclude' : 'include'].add(v);
    out.set(c.field, of);
  }
  return out;
}

export interface Wanted {
  field: string;
  value: string;
  exclude: boolean;
}

// toggle asks for a value, or leaves it out; asked for a second time it takes the condition back. Values of one field
// are gathered in one condition. The rest of the query stays as it was written.
export function toggle(text: string, { field, value, exclude }: Wanted): string {
  const { filter, pipes } = split(text);
  let terms = termsOf(filter);
  if (isChoice(terms)) terms = [`(${filter})`];
  terms = terms.filter((t) => t !== '*');
  let had = false;
  let at = -1; // the condition that the value joins
  const kept: string[] = [];
  for (const term of terms) {
    const c = conditionOf(term);
    if (c?.field !== field) {
      kept.push(term);
      continue;
    }
    const rest = c.values.filter((v) => v !== value);
    if (rest.length < c.values.length && c.exclude === exclude) had = true;
    if (rest.length === 0) continue;
    if (c.exclude === exclude) at = kept.length;
    kept.push(rest.length === c.values.length ? term : write({ ...c, values: rest }));
  }
  if (!had) {
    const joined = at < 0 ? undefined : conditionOf(kept[at]!);
    if (joined) kept[at] = write({ ...joined, values: [...joined.values, value] });
    else kept.push(write({ field, values: [value], exclude }));
  }
  return [kept.join(' ') || (pipes ? '*' : ''), pipes].filter(Boolean).join(' ');
}

// clear takes back all conditions on a field's values.
export function clear(text: string, field: string): string {
  const { filter, pipes } = split(text);
  const kept = termsOf(filter).filter((t) => conditionOf(t)?.field !== field);
  return [kept.join(' ') || (pipes ? '*' : ''), pipes].filter(Boolean).join(' ');
}
