import { describe, expect, it } from 'vitest';
import { aboutOf, filesOf } from './package';

const encoder = new TextEncoder();

function tar(files: Record<string, string>): Uint8Array {
  const parts: number[] = [];
  for (const [name, text] of Object.entries(files)) {
    const data = encoder.encode(text);
    const head = new Uint8Array(512);
    head.set(encoder.encode(name));
    head.set(encoder.encode(data.length.toString(8).padStart(11, '0')), 124);
    head[156] = 0x30;
    parts.push(...head, ...data, ...new Uint8Array((512 - (data.length % 512)) % 512));
  }
  return new Uint8Array([...parts, ...new Uint8Array(1024)]);
}

const manifest = { publisher: 'acme', name: 'door', version: '1.2.0', kind: 'parser', title: 'Doors', capabilities: [{ id: 'vedette_http_v1', reason: 'asks' }] };
const whole = {
  'index.json': JSON.stringify({ manifests: [{ digest: 'sha256:aa' }] }),
  'blobs/sha256/aa': JSON.stringify({ config: { digest: 'sha256:bb' } }),
  'blobs/sha256/bb': JSON.stringify(manifest),
};

describe('a package', () => {
  it('says what is in it', () => expect(aboutOf(tar(whole))).toEqual(manifest));
  it('without capabilities asks for none', () => {
    const { capabilities: _, ...rest } = manifest;
    expect(aboutOf(tar({ ...whole, 'blobs/sha256/bb': JSON.stringify(rest) })).capabilities).toEqual([]);
  });
  it.each([
    ['no tar', encoder.encode('hello'), /no module package/],
    ['another tar', tar({ 'a.txt': 'x' }), /no module package/],
    ['a lost manifest', tar({ 'index.json': whole['index.json'] }), /damaged/],
    ['broken JSON', tar({ ...whole, 'blobs/sha256/bb': '{' }), /damaged/],
  ])('%s is refused in words', (_, bytes, words) => expect(() => aboutOf(bytes)).toThrow(words));
  it('cut off at any byte does no harm', () => {
    const all = tar(whole);
    for (let end = 0; end < all.length; end += 97) expect(() => filesOf(all.subarray(0, end))).not.toThrow();
  });
});
