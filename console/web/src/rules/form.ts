// The form of a pattern document, as host/rule writes and reads it. Members that are not there are left out of the document.

export interface FormValue {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly severity: string;
  readonly description?: string;
  readonly techniques?: readonly string[];
  readonly data_sources?: readonly string[];
  readonly window?: string;
  readonly lateness?: string;
  readonly subs: readonly FormSub[];
  readonly expr?: FormExpr;
  readonly rearm?: string;
  readonly join?: readonly string[];
  readonly key?: readonly string[];
  readonly key_empty?: boolean;
  readonly title?: string;
  readonly suppress?: string;
  readonly clear?: { readonly after?: string; readonly sub?: FormSub };
  readonly watchlist?: readonly { readonly name: string; readonly value: string; readonly ttl: string }[];
  readonly exceptions?: readonly { readonly reason: string; readonly where: FormGroup }[];
  readonly max_keys?: string;
  readonly false_positives?: readonly string[];
  readonly next_steps?: readonly string[];
  readonly containment?: readonly string[];
  readonly eradication?: readonly string[];
  readonly references?: readonly string[];
  readonly tests?: string;
}

export interface FormSub {
  readonly name: string;
  readonly title?: string;
  readonly where?: FormGroup;
  readonly rule?: string;
  readonly by?: readonly string[];
  readonly null_key?: string;
  readonly having?: readonly FormHaving[];
  readonly window?: string;
  readonly windows?: string;
  readonly gap?: string;
  readonly baseline?: { readonly slots?: string; readonly least?: string; readonly peers?: string };
  readonly first_seen?: { readonly fields: readonly string[]; readonly within: string; readonly learn?: string };
  readonly code?: string;
}

export interface FormGroup {
  readonly any?: boolean;
  readonly rows: readonly FormRow[];
}

export interface FormRow {
  readonly not?: boolean;
  readonly group?: FormGroup;
  readonly field?: string;
  readonly modifiers?: readonly string[];
  // null: the field is missing.
  readonly values?: readonly (string | null)[];
}

export interface FormHaving {
  readonly func: string;
  readonly fields?: readonly string[];
  readonly rank?: string;
  readonly op: string;
  readonly threshold: string;
}

export interface FormExpr {
  readonly sub?: string;
  readonly op?: string;
  readonly of?: readonly FormExpr[];
  readonly within?: string;
}

export const readForm = (json: string): FormValue => JSON.parse(json) as FormValue;

// clean leaves out what says nothing, so that the document has no empty lines of it.
export function clean<T>(value: T): T {
  if (Array.isArray(value)) return value.map(clean) as T;
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value).flatMap(([k, v]) => (v === undefined || v === '' || (Array.isArray(v) && v.length === 0 && k !== 'rows' && k !== 'fields' && k !== 'subs') ? [] : [[k, clean(v)] as const]));
  return Object.fromEntries(kept) as T;
}

// The tests of a field that the form has words for; others are shown as they are written.
export const tests: readonly { readonly value: string; readonly label: string; readonly about: string }[] = [
  { value: '', label: 'is', about: '* is any text, ? one character' },
  { value: 'neq', label: 'is not', about: 'the field is there and has another value' },
  { value: 'contains', label: 'contains', about: '' },
  { value: 'startswith', label: 'begins with', about: '' },
  { value: 'endswith', label: 'ends with', about: '' },
  { value: 're', label: 'matches', about: 'a regular expression, RE2' },
  { value: 'cidr', label: 'is in network', about: '10.0.0.0/8' },
  { value: 'in', label: 'is in list', about: 'a watch list, object group, table or indicator set' },
  { value: 'gt', label: '>', about: '' },
  { value: 'gte', label: '≥', about: '' },
  { value: 'lt', label: '<', about: '' },
  { value: 'lte', label: '≤', about: '' },
  { value: 'contains|all', label: 'contains all of', about: '' },
  { value: 'exists', label: 'is there', about: '' },
  { value: missing(), label: 'is missing', about: '' },
];

function missing(): string {
  return '(missing)';
}

// testOf names the test of a row.
export function testOf(r: FormRow): string {
  if (r.modifiers?.[0] === 'exists') return r.values?.[0] === 'false' ? missing() : 'exists';
  if (r.values?.length === 1 && r.values[0] === null && (r.modifiers ?? []).length === 0) return missing();
  return (r.modifiers ?? []).join('|');
}

// withTest changes the test of a row and keeps its values where they still mean something.
export function withTest(r: FormRow, test: string): FormRow {
  const field = r.field ?? '';
  if (test === 'exists' || test === missing()) return { field, modifiers: ['exists'], values: [test === 'exists' ? 'true' : 'false'] };
  const values = valued(r) ? (r.values ?? []) : [];
  return { field, ...(test ? { modifiers: test.split('|') } : {}), values };
}

// valued reports whether a row's test takes values.
export const valued = (r: FormRow): boolean => !['exists', missing()].includes(testOf(r));

export const functions = ['count', 'distinct', 'sum', 'avg', 'min', 'max', 'percentile'] as const;
export const comparisons = ['>=', '>', '<=', '<', '==', '!='] as const;
export const operators: readonly { readonly value: string; readonly label: string }[] = [
  { value: '->', label: 'followed by' },
  { value: '!->', label: 'not followed by' },
  { value: 'and', label: 'and' },
  { value: 'or', label: 'or' },
  { value: 'and not', label: 'and not' },
  { value: 'and not before', label: 'and not before' },
];

// nameFor is a name that no part has yet.
export function nameFor(subs: readonly Pick<FormSub, 'name'>[]): string {
  for (let i = subs.length + 1; ; i++) if (!subs.some((s) => s.name === `part${i}`)) return `part${i}`;
}

// renamed gives a part another name, in the expression too.
export function renamed(f: FormValue, from: string, to: string): FormValue {
  const walk = (x: FormExpr): FormExpr => ({ ...x, ...(x.sub === from ? { sub: to } : {}), ...(x.of ? { of: x.of.map(walk) } : {}) });
  return { ...f, subs: f.subs.map((s) => (s.name === from ? { ...s, name: to } : s)), ...(f.expr ? { expr: walk(f.expr) } : {}) };
}

// without takes a part out, of the expression too.
export function without(f: FormValue, name: string): FormValue {
  const subs = f.subs.filter((s) => s.name !== name);
  const walk = (x: FormExpr): FormExpr | undefined => {
    if (x.sub !== undefined) return x.sub === name ? undefined : x;
    const of = (x.of ?? []).map(walk).filter((o) => o !== undefined);
    if (of.length === 0) return undefined;
    return of.length === 1 && x.op !== 'span' ? of[0] : { ...x, of };
  };
  const { expr, ...rest } = f;
  const left = expr && subs.length > 1 ? walk(expr) : undefined;
  return { ...rest, subs, ...(left ? { expr: left } : {}) };
}

// withPart adds a part at the end: what there is, followed by it.
export function withPart(f: FormValue): FormValue {
  const name = nameFor(f.subs);
  const last = f.subs.at(-1);
  const before = f.expr ?? (last ? { sub: last.name } : undefined);
  const expr: FormExpr | undefined = !before ? undefined : before.op === '->' && !before.within ? { ...before, of: [...(before.of ?? []), { sub: name }] } : { op: '->', of: [before, { sub: name }] };
  return { ...f, subs: [...f.subs, { name, where: { rows: [{ field: '', values: [] }] }, ...(last?.by ? { by: last.by } : {}) }], ...(expr ? { expr } : {}) };
}

// learntKey is a key of what was learnt as the host takes it: values in the order in which the part that learns is grouped.
export function learntKey(f: Pick<FormValue, 'subs'>, key: Readonly<Record<string, string>>): string[] {
  const names = Object.keys(key);
  const learns = f.subs.find((s) => (s.baseline || s.first_seen) && s.by?.length === names.length && s.by.every((n) => n in key));
  return (learns?.by ?? names).map((n) => key[n]!);
}
