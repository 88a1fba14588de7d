// A policy's text.

// placeOf returns where line and column, both from 1, stand in a text.
export function placeOf(text: string, line: number, column: number): number {
  let at = 0;
  for (let n = 1; n < line; n++) {
    const next = text.indexOf('\n', at);
    if (next < 0) return text.length;
    at = next + 1;
  }
  return Math.min(text.length, at + Math.max(0, column - 1));
}

// template is what somebody begins with who has written none.
export const template = `version: 1
keys:
  acme: |
    -----BEGIN PUBLIC KEY-----
    (the public half that vedette module key show prints)
    -----END PUBLIC KEY-----
publishers:
  - {prefix: acme, keys: [acme]} # whoever else uses the name is refused
scopes: # the first that fits decides; what fits none is refused
  - name: of acme, signed and conforming
    modules: ["acme/*"]
    level: strict
    signatures: {anyOf: [acme]}
    require: {sbom: {}, conformance: {level: 3}} # this host finds the level out itself
    capabilities: ["*"]
  - name: written here
    modules: ["local/*"]
    level: unsigned-allowed
    capabilities: ["*"]
`;
