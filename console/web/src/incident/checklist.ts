// Which of an incident's next steps have been done, as far as this browser knows.

const place = 'vedette.checklists';
const mostIncidents = 200;

type Stored = [id: string, done: string[]][];
type Store = Pick<Storage, 'getItem' | 'setItem'>;

function read(storage: Pick<Storage, 'getItem'>): Stored {
  try {
    const all: unknown = JSON.parse(storage.getItem(place) ?? '[]');
    return Array.isArray(all) ? all.filter((e): e is Stored[number] => Array.isArray(e) && typeof e[0] === 'string' && Array.isArray(e[1])) : [];
  } catch {
    return [];
  }
}

// doneOf returns the texts of the steps that are ticked.
export function doneOf(storage: Pick<Storage, 'getItem'>, id: string): ReadonlySet<string> {
  return new Set(read(storage).find(([i]) => i === id)?.[1] ?? []);
}

// tick remembers that a step has been done, or has not. The incidents touched last are kept.
export function tick(storage: Store, id: string, step: string, on: boolean): ReadonlySet<string> {
  const done = new Set(doneOf(storage, id));
  if (on) done.add(step);
  else done.delete(step);
  const others = read(storage).filter(([i]) => i !== id);
  const all: Stored = done.size > 0 ? [...others, [id, [...done]]] : others;
  storage.setItem(place, JSON.stringify(all.slice(-mostIncidents)));
  return done;
}
