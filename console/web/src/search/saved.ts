// Searches that were run, and those that somebody gave a name to. Both stay in this browser.

export interface Kept {
  q: string;
  range: string;
  from: string;
  to: string;
}

export interface Saved extends Kept {
  name: string;
}

const historyKey = 'vedette.search.history';
const savedKey = 'vedette.search.saved';
export const maxHistory = 50;
export const maxSaved = 200;

type Store = Pick<Storage, 'getItem' | 'setItem'>;

function read(store: Store, key: string): unknown[] {
  try {
    const list: unknown = JSON.parse(store.getItem(key) ?? '[]');
    return Array.isArray(list) ? list : [];
  } catch {
    return []; // not ours, or cut off
  }
}

function write(store: Store, key: string, list: unknown[]): void {
  try {
    store.setItem(key, JSON.stringify(list));
  } catch {
    // The browser keeps nothing, or no more: a search works without.
  }
}

const textOf = (v: unknown): string => (typeof v === 'string' ? v : '');
const keptOf = (v: object): Kept => {
  const o = v as Record<string, unknown>;
  return { q: textOf(o.q), range: textOf(o.range), from: textOf(o.from), to: textOf(o.to) };
};
const isObject = (v: unknown): v is object => typeof v === 'object' && v !== null;

// history returns texts, newest first.
export const history = (store: Store = localStorage): string[] => read(store, historyKey).filter((v): v is string => typeof v === 'string').slice(0, maxHistory);

// remember puts a text to the front.
export function remember(text: string, store: Store = localStorage): void {
  const t = text.trim();
  if (t === '' || t === '*') return;
  write(store, historyKey, [t, ...history(store).filter((h) => h !== t)].slice(0, maxHistory));
}

export const forget = (store: Store = localStorage): void => write(store, historyKey, []);

// saved returns searches by name.
export const saved = (store: Store = localStorage): Saved[] =>
  read(store, savedKey)
    .filter(isObject)
    .map((v) => ({ name: textOf((v as Record<string, unknown>).name), ...keptOf(v) }))
    .filter((v) => v.name !== '');

// save keeps a search under a name, in place of one that has it already.
export function save(name: string, search: Kept, store: Store = localStorage): void {
  const n = name.trim();
  if (n === '') return;
  const list = [...saved(store).filter((s) => s.name !== n), { name: n, ...keptOf(search) }];
  list.sort((a, b) => a.name.localeCompare(b.name));
  write(store, savedKey, list.slice(0, maxSaved));
}

export const remove = (name: string, store: Store = localStorage): void => write(store, savedKey, saved(store).filter((s) => s.name !== name));
