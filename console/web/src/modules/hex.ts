// Bytes as people read them who do not trust the text.

export interface HexLine {
  readonly offset: string;
  readonly hex: string;
  readonly text: string;
}

const width = 8; // what a narrow pane shows whole, with the text beside it

// hexLines shows at most limit bytes, eight on a line.
export function hexLines(bytes: Uint8Array, limit: number): HexLine[] {
  const out: HexLine[] = [];
  const end = Math.min(bytes.length, limit);
  for (let at = 0; at < end; at += width) {
    const part = [...bytes.subarray(at, Math.min(at + width, end))];
    out.push({
      offset: at.toString(16).padStart(6, '0'),
      hex: part.map((b) => b.toString(16).padStart(2, '0')).join(' ').padEnd(width * 3 - 1),
      text: part.map((b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '·')).join(''),
    });
  }
  return out;
}

export const hexOf = (bytes: Uint8Array): string => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
