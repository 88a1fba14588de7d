import { describe, expect, it } from 'vitest';
import { queueParams } from './filter';
import { builtIn, full, readViews, same, writeViews } from './views';

describe('views', () => {
  it('are told by their address alone', () => {
    for (const v of builtIn) {
      const params = { ...queueParams, org: 'harbour', ...full(v) };
      expect(builtIn.filter((other) => same(other, params))).toEqual([v]);
    }
    expect(builtIn.some((v) => same(v, { ...queueParams, q: 'root' }))).toBe(false);
  });

  it('are kept in the browser, and what is broken there is not read', () => {
    let kept: string | null = null;
    const storage = { getItem: () => kept, setItem: (_: string, v: string) => void (kept = v) };
    expect(readViews(storage)).toEqual([]);
    writeViews(storage, [{ name: 'Web', params: { host: ['web1'] } }]);
    expect(readViews(storage)).toEqual([{ name: 'Web', params: { host: ['web1'] } }]);
    for (const broken of ['{', '7', '[{"name":1}]']) {
      kept = broken;
      expect(readViews(storage)).toEqual([]);
    }
  });
});
