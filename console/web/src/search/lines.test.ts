import { describe, expect, it } from 'vitest';
import { longest, tokens } from './lines';

describe('JSON in colours', () => {
  it.each(['{"a": 1, "b": [true, null, "x:\\"y"]}', '{"a": "never closed', '', 'no json at all: 5', '{"\u001b[31m":-1.5e3}'])('%j loses nothing', (text) =>
    expect(tokens(text).map((t) => t.text).join('')).toBe(text));
  it('knows names from values', () => {
    expect(tokens('{"a":"b","n":1}').filter((t) => t.kind !== 'plain')).toEqual([
      { kind: 'name', text: '"a"' },
      { kind: 'string', text: '"b"' },
      { kind: 'name', text: '"n"' },
      { kind: 'number', text: '1' },
    ]);
  });
  it('takes as much as is shown, and a string that never ends', () => {
    const text = JSON.stringify(Array.from({ length: 2_000 }, (_, i) => ({ [`key${i}`]: `value ${i}` }))).slice(0, longest);
    expect(tokens(text).filter((t) => t.kind === 'name').length).toBeGreaterThan(1_000);
    expect(tokens(`"${'\\'.repeat(longest)}`)).toHaveLength(1);
  });
});

it('takes a string that was cut off for one', () => {
  expect(tokens('{"a":"b 1 true').filter((t) => t.kind !== 'plain')).toEqual([{ kind: 'name', text: '"a"' }, { kind: 'string', text: '"b 1 true' }]); // prettier-ignore
  expect(tokens('"x\\').map((t) => t.text).join('')).toBe('"x\\');
});
