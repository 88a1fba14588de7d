import { describe, expect, it } from 'vitest';
import { parseSearch, read, stringifySearch, write } from './params';

const defaults = { q: '', state: ['open'], limit: 100, live: false };

describe('the address', () => {
  it('round-trips text and lists', () => {
    const text = '?host=web1&host=web%2C2&q=a%26b';
    expect(stringifySearch(parseSearch(text))).toBe(text);
    expect(parseSearch(text)).toEqual({ host: ['web1', 'web,2'], q: 'a&b' });
  });

  it('gives each parameter the type of its default', () => {
    expect(read({ q: 'x', state: 'open', limit: '5', live: 'true' }, defaults)).toEqual({ q: 'x', state: ['open'], limit: 5, live: true });
    expect(read({ limit: 'many', other: '1' }, defaults)).toEqual(defaults);
  });

  it('leaves out what is as always, and keeps what is not its own', () => {
    expect(write({ org: 'harbour', q: 'x' }, { q: '', state: ['open'], limit: 7 }, defaults)).toEqual({ org: 'harbour', limit: '7' });
    expect(write({}, { state: ['any'] }, defaults)).toEqual({ state: ['any'] });
  });
});
