import { expect, it } from 'vitest';
import { hexLines, hexOf } from './hex';

it('shows eight bytes on a line, and no byte as what it does', () => {
  const bytes = new Uint8Array([0x1b, 0x5b, 0x41, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0xff]);
  expect(hexLines(bytes, 100)).toEqual([
    { offset: '000000', hex: '1b 5b 41 20 20 20 20 20', text: '·[A     ' },
    { offset: '000008', hex: '20 ff'.padEnd(23), text: ' ·' },
  ]);
  expect(hexOf(bytes.subarray(0, 3))).toBe('1b5b41');
});

it('stops at its limit', () => expect(hexLines(new Uint8Array(100), 12)).toHaveLength(2));
