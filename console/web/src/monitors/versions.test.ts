import { expect, test } from 'vitest';
import { parse } from '../diff/diff';
import { packagesOf } from './versions';

test('a list of packages is read as one', () => {
  expect(packagesOf(parse('@@ -1,3 +1,3 @@\n bash\t5.2\n-curl\t8.1\n+curl\t8.2\n-telnet\t0.17\n+zsh\t5.9\n'))).toEqual([
    { name: 'curl', before: '8.1', after: '8.2' }, { name: 'telnet', before: '0.17', after: '' }, { name: 'zsh', before: '', after: '5.9' },
  ]);
  expect(packagesOf(parse('@@ -1 +1 @@\n-one word more\n+less\n'))).toBeUndefined();
  expect(packagesOf([])).toBeUndefined();
});
