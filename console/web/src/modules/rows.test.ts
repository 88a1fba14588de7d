import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { ModuleSchema } from '../gen/vedette/v1/module_pb';
import { scopeOf, select, sorted } from './rows';

const module = (name: string, more: object = {}) => create(ModuleSchema, { name, kind: 'parser', enabled: true, ...more });
const modules = [
  module('vedette/auth', { use: { records: 10n, fuel: 1000n, errors: 1n } }),
  module('vedette/auth', { tenant: 2, enabled: false }),
  module('local/door', { tenant: 1, use: { records: 1n, fuel: 9000n } }),
  module('vedette/spray', { kind: 'rule', title: 'Password spray' }),
];
const all = { kind: '', text: '', tenant: undefined };
const names = (rows: ReturnType<typeof select>) => rows.map((r) => `${r.module.name}@${r.module.tenant}`);

describe('modules', () => {
  it('are all shown in the Global view', () => expect(select(modules, all)).toHaveLength(4));
  it('of one organization hide the shared ones of the same name', () => {
    expect(names(select(modules, { ...all, tenant: 2 }))).toEqual(['vedette/auth@2', 'vedette/spray@0']);
    expect(names(select(modules, { ...all, tenant: 1 }))).toEqual(['vedette/auth@0', 'local/door@1', 'vedette/spray@0']);
  });
  it('are found by kind and by words', () => {
    expect(names(select(modules, { ...all, kind: 'rule' }))).toEqual(['vedette/spray@0']);
    expect(names(select(modules, { ...all, text: 'PASSWORD' }))).toEqual(['vedette/spray@0']);
  });
  it('are ordered by a column, then by name', () => {
    expect(names(sorted(select(modules, all), '-fuel')).slice(0, 2)).toEqual(['local/door@1', 'vedette/auth@0']);
    expect(names(sorted(select(modules, all), 'kind'))[3]).toBe('vedette/spray@0');
  });
  it('are switched for their own organization, for the chosen one, or for all', () => {
    expect(scopeOf(modules[2]!, 2)).toBe(1);
    expect(scopeOf(modules[0]!, 2)).toBe(2);
    expect(scopeOf(modules[0]!, undefined)).toBe(0);
  });
});
