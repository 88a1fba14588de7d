import { expect, it } from 'vitest';
import { amount, capabilityWords, codeWords, failedStep, headOf, shortDigest, shortTime, steps } from './words';

it('says capabilities in words, and those it does not know as they are', () => {
  expect(capabilityWords([])).toBe('');
  expect(capabilityWords(['vedette_http_v1', 'vedette_new_v9'])).toBe('requests to granted HTTP targets, vedette_new_v9');
});

it('says error codes in words', () => {
  expect(codeWords('E_FUEL')).toBe('out of fuel');
  expect(codeWords('E_LIMIT_FUNCTIONS')).toBe('it exceeds a limit');
  expect(codeWords('E_NEW')).toBe('E_NEW');
  expect(headOf('the budget is spent\nwasm stack trace:')).toBe('The budget is spent');
});

it('shortens digests and large numbers', () => {
  expect(shortDigest('sha256:fc12508488f0f06a')).toBe('fc12508488');
  expect([0, 999, 1_000, 4_144_502, 2.5e9].map(amount)).toEqual(['0', '999', '1.00 k', '4.14 M', '2.50 G']);
  expect([0.02, 1.15, 41.6].map(shortTime)).toEqual(['<0.1 ms', '1.1 ms', '42 ms']);
});

it.each([
  ['preview: refused at the package: bad tar', 'Verify'],
  ['install local/a:1.0.0: refused at the static checks: E_OPCODE', 'Static checks'],
  ['install local/a:1.0.0: refused at its own tests: event 1', 'Tests'],
  ['install local/a:1.0.0: refused at the registry: taken', 'Active'],
  ['something else', 'Verify'],
])('%s ends at %s', (text, step) => expect(steps[failedStep(text)]).toBe(step));
