// What happened, by time, in three lanes: what was seen, what people wrote, and what they did.

import type { Evidence, HistoryEntry } from '../gen/vedette/v1/incident_pb';
import { millis } from '../live/row';

export type Lane = 'evidence' | 'note' | 'action';

export interface Entry {
  readonly key: string;
  readonly lane: Lane;
  // Milliseconds since 1970; the same for what is one moment.
  readonly from: number;
  readonly to: number;
  // Evidence: the part of the rule and its events, oldest first.
  readonly sub: string;
  readonly ids: readonly string[];
  // Notes and actions.
  readonly who: string;
  readonly what: string;
  readonly detail: string;
}

const nothing = { sub: '', ids: [], who: '', what: '', detail: '' };

// timelineOf returns the entries, the oldest first. Events of one part that nothing came between are one entry.
export function timelineOf(evidence: readonly Evidence[], history: readonly HistoryEntry[]): Entry[] {
  const all: Entry[] = [
    ...evidence.map((e): Entry => {
      const at = millis(e.time);
      return { ...nothing, key: `e${e.sub} ${e.eventId}`, lane: 'evidence', from: at, to: at, sub: e.sub, ids: [e.eventId] };
    }),
    ...history.map((h): Entry => {
      const at = millis(h.at);
      const lane = h.what === 'commented' ? 'note' : 'action';
      return { ...nothing, key: `h${h.seq} ${h.what}`, lane, from: at, to: at, who: h.who, what: h.what, detail: h.detail };
    }),
  ].sort((a, b) => a.from - b.from);
  const out: Entry[] = [];
  for (const entry of all) {
    const last = out.at(-1);
    if (last?.lane === 'evidence' && entry.lane === 'evidence' && last.sub === entry.sub) {
      out[out.length - 1] = { ...last, to: entry.to, ids: [...last.ids, ...entry.ids] };
    } else {
      out.push(entry);
    }
  }
  return out;
}

const deeds: Record<string, string> = {
  opened: 'opened it', acknowledged: 'acknowledged it', reopened: 'reopened it', resolved: 'resolved it', assigned: 'assigned it', severity: 'set the severity', merged: 'merged it with', commented: 'wrote',
}; // prettier-ignore

// deed is what somebody did, in words: "resolved it as false positive".
export function deed(what: string, detail: string): string {
  const words = deeds[what] ?? what;
  switch (what) {
    case 'opened':
      return detail ? `${words}, ${detail}` : words;
    case 'resolved':
      return detail ? `${words} as ${detail.replaceAll('_', ' ')}` : words;
    case 'assigned':
      return detail ? `${words} to ${detail}` : 'assigned it to nobody';
    case 'severity':
      return detail ? `${words} to ${detail}` : words;
    default:
      return words;
  }
}
