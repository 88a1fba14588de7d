// Views of the queue are addresses: built-in ones, and those that a person has named in this browser.

import type { QueueParams } from './filter';
import { queueParams } from './filter';

export interface View {
  name: string;
  params: Partial<QueueParams>;
}

export const builtIn: readonly View[] = [
  { name: 'Open', params: {} },
  { name: 'Mine', params: { state: ['open', 'acknowledged'], who: ['me'] } },
  { name: 'Critical', params: { state: ['open', 'acknowledged'], sev: ['critical'] } },
  { name: 'Resolved today', params: { state: ['resolved'], since: 'today', sort: '-last' } },
];

// full returns every parameter of a view but the organization, which is the shell's.
export function full(view: View): Omit<QueueParams, 'org'> {
  const { org: _, ...rest } = { ...queueParams, ...view.params };
  return rest;
}

// same reports whether what is shown is this view.
export function same(view: View, params: QueueParams): boolean {
  return Object.entries(full(view)).every(([name, value]) => String(params[name as keyof QueueParams]) === String(value));
}

const place = 'vedette.queue.views';
const mostViews = 50;

export function readViews(storage: Pick<Storage, 'getItem'>): View[] {
  try {
    const list = JSON.parse(storage.getItem(place) ?? '[]') as unknown;
    if (!Array.isArray(list)) return [];
    return list.filter((v): v is View => typeof v?.name === 'string' && typeof v?.params === 'object').slice(0, mostViews);
  } catch {
    return [];
  }
}

export function writeViews(storage: Pick<Storage, 'setItem'>, views: readonly View[]): void {
  storage.setItem(place, JSON.stringify(views.slice(-mostViews)));
}
