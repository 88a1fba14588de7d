// What the host says of rules, in words.

import type { Rule } from '../gen/vedette/v1/rule_pb';

const languages: Record<string, string> = { pattern: 'Pattern', sigma: 'Sigma', fortisiem: 'FortiSIEM', code: 'Code' };

export const languageWord = (language: string): string => languages[language] ?? language;
export const languageOf = (r: Pick<Rule, 'language' | 'code'>): string => languageWord(r.code ? 'code' : r.language);

// whyOff says why a rule does not run, as a sentence; empty of one that does.
export function whyOff(r: Pick<Rule, 'enabled' | 'off'>): string {
  if (r.enabled) return '';
  return r.off ? `${r.off[0]!.toUpperCase()}${r.off.slice(1)}.` : 'Switched off.';
}

// percent shows a share with the digits that mean something.
export const percent = (share: number): string => (Number.isNaN(share) ? '–' : share > 0 && share < 0.01 ? '<1 %' : `${Math.round(share * 100)} %`);

// nanoseconds shows what one event takes.
export const nanoseconds = (ns: number): string => (ns >= 1_000 ? `${(ns / 1_000).toFixed(1)} µs` : `${ns >= 10 ? Math.round(ns) : ns.toFixed(1)} ns`);
