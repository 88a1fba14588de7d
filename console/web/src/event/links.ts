// Where an event leads to, as the search page and the wizard for parsers read it from their address.

import { aroundOf, condition, type Filter } from './fields';

export interface SearchParams {
  q: string;
  from: string;
  to: string;
}

const around = 15 * 60_000; // ms

// searchAround looks for what the same host did a quarter of an hour before and after a moment in milliseconds.
export function searchAround(fields: Readonly<Record<string, string>>, at: number): SearchParams {
  return { q: aroundOf(fields).query, from: iso(at - around), to: iso(at + around) };
}

// searchFor looks for a value on the day around a moment.
export function searchFor(filter: Filter, at: number): SearchParams {
  return { q: condition(filter), from: iso(at - 12 * 3_600_000), to: iso(at + 12 * 3_600_000) };
}

const iso = (ms: number): string => new Date(ms).toISOString();

const longestSample = 4_000; // characters of a record that an address carries

// sampleOf is as much of a record as the wizard gets.
export const sampleOf = (raw: string): string => raw.slice(0, longestSample);
