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

// differenceOf is where the difference is shown that an event of a configuration tells of; undefined for any other event.
export function differenceOf(tenant: number, fields: Readonly<Record<string, string>>): Record<string, string> | undefined {
  const [device, name, hash] = [fields['host.name'], fields['file.name'], fields['file.hash.sha256']];
  if (fields['event.dataset'] !== 'vedette.config' || !device || !name || !hash) return undefined;
  const before = fields['file.previous.hash.sha256'];
  const [older, newer] = [before ? `sha256:${before}` : '', `sha256:${hash}`];
  // What is not saved is told the other way round: the text that the device starts with is the one that was read last.
  const unsaved = fields['event.action']?.startsWith('config_unsaved') && older;
  return { of: String(tenant), device, name, to: unsaved ? older : newer, ...(older ? { from: unsaved ? newer : older } : {}) };
}

const longestSample = 4_000; // characters of a record that an address carries

// sampleOf is as much of a record as the wizard gets.
export const sampleOf = (raw: string): string => raw.slice(0, longestSample);
