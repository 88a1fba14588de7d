// Text of any length in pieces that a browser can show at once.

export const shortest = 1_600; // characters of an entry before somebody asks for more
export const longest = 64 * 1024; // characters that are shown at all

export interface Token {
  kind: 'name' | 'string' | 'number' | 'word' | 'plain';
  text: string;
}

const json = /("(?:[^"\\]|\\.)*(?:"|\\?$))(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;

// tokens colours JSON. A string that is cut off in the middle is one all the same.
export function tokens(text: string): Token[] {
  const out: Token[] = [];
  let at = 0;
  const plain = (to: number) => {
    if (to > at) out.push({ kind: 'plain', text: text.slice(at, to) });
  };
  for (const m of text.matchAll(json)) {
    plain(m.index);
    const [all, string, colon] = m;
    out.push({ kind: string ? (colon === undefined ? 'string' : 'name') : m[3] ? 'number' : 'word', text: string ?? all });
    at = m.index + (string ?? all).length;
  }
  plain(text.length);
  return out;
}
