// What a package says of itself, read in the browser before anything is sent: a package is an OCI image layout as a tar,
// its manifest is the image's config. The host checks all of it again.

export const maxPackageBytes = 16 << 20;

export interface Capability {
  // Of one that looks into a table, with the table: "vedette_set_v1:bad-domains".
  readonly id: string;
  readonly reason: string;
}

export interface About {
  readonly publisher: string;
  readonly name: string;
  readonly version: string;
  readonly kind: string;
  readonly title: string;
  readonly capabilities: readonly Capability[];
}

const block = 512;
const decoder = new TextDecoder();

// filesOf returns the files of a tar by name, as far as it can be read.
export function filesOf(tar: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + block <= tar.length; ) {
    const text = (from: number, length: number) => decoder.decode(tar.subarray(at + from, at + from + length)).replace(/\0.*$/s, '');
    const name = text(0, 100);
    const size = parseInt(text(124, 12), 8);
    if (name === '' || !Number.isFinite(size) || size < 0) break;
    const kind = tar[at + 156];
    if (kind === 0 || kind === 0x30) files.set(name.replace(/^\.\//, ''), tar.subarray(at + block, at + block + size));
    at += block + Math.ceil(size / block) * block;
  }
  return files;
}

// aboutOf reads the manifest of the only module in a package. It throws a sentence for whoever chose the file.
export function aboutOf(tar: Uint8Array): About {
  if (tar.length > maxPackageBytes) throw new Error('The file is larger than 16 MiB, the most that a package may have.');
  const files = filesOf(tar);
  const index = object(files.get('index.json'));
  if (!index) throw new Error('The file is no module package: it must hold an OCI image layout.');
  const blob = (d: unknown) => object(files.get(`blobs/${String((d as { digest?: unknown } | undefined)?.digest).replace(':', '/')}`));
  const manifest = blob(list(index.manifests)[0]);
  const config = blob(manifest?.config);
  if (!config) throw new Error('The package is damaged: its manifest is missing.');
  const word = (name: string) => (typeof config[name] === 'string' ? config[name] : '');
  return {
    publisher: word('publisher'), name: word('name'), version: word('version'), kind: word('kind'), title: word('title'),
    capabilities: list(config.capabilities).flatMap((c) => asksOf(c as Asked)),
  }; // prettier-ignore
}

interface Asked {
  readonly id?: unknown;
  readonly reason?: unknown;
  readonly targets?: unknown;
}

// asksOf is what somebody has to grant: a capability, or each table that it looks into.
function asksOf({ id, reason, targets }: Asked): Capability[] {
  const one = { id: String(id), reason: String(reason ?? '') };
  if (one.id !== 'vedette_set_v1' && one.id !== 'vedette_lookup_v1') return [one];
  return list(targets).map((t) => ({ ...one, id: `${one.id}:${String((t as { name?: unknown }).name)}` }));
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function object(data: Uint8Array | undefined): Record<string, unknown> | undefined {
  if (!data) return undefined;
  try {
    const value: unknown = JSON.parse(decoder.decode(data));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
