// Texts of devices as the list shows them: the newest version of each, beside what was declared right.

import type { BlessedConfig, ConfigVersion } from '../gen/vedette/v1/monitor_pb';
import { millis } from '../live/row';

// How the newest version stands to what was declared right.
export type Standing = 'right' | 'deviates' | 'undeclared';

export interface TextRow {
  readonly key: string;
  readonly version: ConfigVersion;
  readonly blessed: BlessedConfig | undefined;
  readonly standing: Standing;
  // Milliseconds since 1970.
  readonly at: number;
}

export const standingWords: Record<Standing, string> = { right: 'as declared', deviates: 'deviates', undeclared: 'none declared' };
export const standingTones = { right: 'ok', deviates: 'bad', undeclared: undefined } as const;

const keyOf = (v: { tenant: number; device: string; name: string }): string => `${v.tenant}\n${v.device}\n${v.name}`;

export function standingOf(version: Pick<ConfigVersion, 'digest'>, blessed: Pick<BlessedConfig, 'digest'> | undefined): Standing {
  if (!blessed) return 'undeclared';
  return blessed.digest === version.digest ? 'right' : 'deviates';
}

// textsOf joins them; what deviates comes first, then what changed last.
export function textsOf(versions: readonly ConfigVersion[], blessed: readonly BlessedConfig[]): TextRow[] {
  const by = new Map(blessed.map((b) => [keyOf(b), b]));
  return versions
    .map((version): TextRow => {
      const right = by.get(keyOf(version));
      return { key: keyOf(version), version, blessed: right, standing: standingOf(version, right), at: millis(version.at) };
    })
    .sort((a, b) => Number(b.standing === 'deviates') - Number(a.standing === 'deviates') || b.at - a.at);
}

export interface Chosen {
  readonly to: ConfigVersion | undefined;
  // What it is compared with, as the host is asked: a digest or "blessed", of this text or of another one.
  readonly from: string;
  readonly fromName: string;
  // The version before, when that is what it is compared with.
  readonly before: ConfigVersion | undefined;
}

// choose finds the two texts that an address names. all are the versions of the device, newest first; from is a digest,
// "blessed", "@NAME", or empty for the version before. A digest of another text of the device is found too.
export function choose(all: readonly ConfigVersion[], name: string, to: string, from: string): Chosen {
  const mine = all.filter((v) => v.name === name);
  const at = Math.max(0, to === '' ? 0 : mine.findIndex((v) => v.digest === to));
  const before = mine.slice(at + 1).find((v) => v.digest !== mine[at]?.digest);
  const chosen = { to: mine[at], before: undefined };
  if (from.startsWith('@')) return { ...chosen, from: '', fromName: from.slice(1) };
  if (from === '') return { ...chosen, from: before?.digest ?? '', fromName: '', before };
  const other = from !== 'blessed' && !mine.some((v) => v.digest === from) ? all.find((v) => v.digest === from) : undefined;
  return { ...chosen, from, fromName: other?.name ?? '' };
}
