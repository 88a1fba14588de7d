// Two lists of packages, by name.

import type { Hunk } from '../diff';

export interface Package {
  readonly name: string;
  // Empty: it was not, or is not, there.
  readonly before: string;
  readonly after: string;
}

// packagesOf reads the difference of two lists of packages, one a line with name and version, by name; undefined when the
// lines are none.
export function packagesOf(hunks: readonly Hunk[]): Package[] | undefined {
  const out = new Map<string, { name: string; before: string; after: string }>();
  for (const line of hunks.flatMap((h) => h.lines)) {
    const [name, version, ...rest] = line.text.trim().split(/\s+/);
    if (!name || !version || rest.length > 0 || !/\d/.test(version)) return undefined;
    if (line.kind === 'same') continue;
    const p = out.get(name) ?? { name, before: '', after: '' };
    if (line.kind === 'del') p.before = version;
    else p.after = version;
    out.set(name, p);
  }
  return out.size > 0 ? [...out.values()].sort((x, y) => (x.name < y.name ? -1 : 1)) : undefined;
}
