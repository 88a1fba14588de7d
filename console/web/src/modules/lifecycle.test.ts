import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { ModuleMinuteSchema, ModuleSchema, PreviewResultSchema, QuarantinedRecordSchema } from '../gen/vedette/v1/module_pb';
import { tryAgain } from './again';
import { historyOf } from './history';
import { runsOf } from './runs';
import { updateOf } from './update';

const module = (name: string, tenant: number, version: string, more: object = {}) => create(ModuleSchema, { name, tenant, version, enabled: true, ...more });
const ask = (id: string) => ({ id, reason: 'why' });

describe('what an installation would replace', () => {
  const modules = [module('a/check', 0, '1.0.0', { capabilities: ['vedette_http_v1', 'vedette_kv_v1'] }), module('a/check', 2, '1.1.0', { capabilities: ['vedette_set_v1'] })];
  it('is the organization’s own, with what it has', () => {
    const u = updateOf(modules, 'a/check', 2, [ask('vedette_set_v1:bad'), ask('vedette_http_v1')]);
    expect([u.running?.version, u.more.map((c) => c.id), u.less]).toEqual(['1.1.0', ['vedette_http_v1'], []]);
  });
  it('is the shared one, whose grants it does not get', () => {
    const u = updateOf(modules, 'a/check', 3, [ask('vedette_http_v1')]);
    expect([u.running?.version, u.more.map((c) => c.id), u.less]).toEqual(['1.0.0', ['vedette_http_v1'], ['vedette_kv_v1']]);
  });
  it('is nothing the first time', () => {
    expect(updateOf(modules, 'a/other', 2, [])).toEqual({ running: undefined, more: [], less: [] });
  });
});

describe('who runs a module', () => {
  it('is told for each organization', () => {
    const off = module('a/p', 2, '1.0.0', { enabled: false });
    expect(runsOf([module('a/p', 0, '1.0.0'), off, module('a/p', 3, '2.0.0'), module('a/q', 1, '9')], 'a/p', [1, 2, 3])).toEqual([
      { tenant: 1, how: 'shared', version: '1.0.0' },
      { tenant: 2, how: 'off', version: '' },
      { tenant: 3, how: 'own', version: '2.0.0' },
    ]);
    expect(runsOf([module('a/p', 3, '2.0.0')], 'a/p', [1, 3])).toEqual([{ tenant: 3, how: 'own', version: '2.0.0' }]);
  });
});

describe('what a module costs over time', () => {
  const minute = (n: number, fuel: bigint, mib: number) => create(ModuleMinuteSchema, { at: timestampFromMs(n * 60_000), fuel, records: fuel / 10n, memoryBytes: BigInt(mib << 20) });
  it('is laid out minute by minute; memory is kept while it does nothing', () => {
    const h = historyOf([minute(90, 5n, 3), minute(101, 100n, 1), minute(103, 30n, 2)], 104 * 60_000 + 30_000, 5);
    expect(h.times).toEqual([100, 101, 102, 103, 104].map((n) => n * 60));
    expect(h.fuel).toEqual([0, 100, 0, 30, 0]);
    expect(h.records).toEqual([0, 10, 0, 3, 0]);
    expect(h.memory).toEqual([3, 1, 1, 2, 2]);
  });
  it('is not known before the first minute', () => {
    expect(historyOf([], 60_000, 3).memory).toEqual([null, null, null]);
  });
});

describe('quarantined records', () => {
  it('are tried again, those of each organization by themselves', async () => {
    const record = (tenant: number, raw: string) => create(QuarantinedRecordSchema, { tenant, raw: new TextEncoder().encode(raw) });
    const asked: [number, number][] = [];
    const again = await tryAgain('a/p', [record(1, 'good'), record(2, 'bad'), record(1, 'else'), record(2, 'x'.repeat((64 << 10) + 1))], async ({ tenant, samples, candidate }) => {
      expect(candidate).toEqual({ case: 'name', value: 'a/p' });
      asked.push([tenant, samples.length]);
      return {
        results: samples.map((raw) => {
          const text = new TextDecoder().decode(raw);
          return create(PreviewResultSchema, text === 'good' ? { events: [{}] } : { error: text === 'bad' ? 'E_TRAP' : 'not mine' });
        }),
      };
    });
    expect(asked).toEqual([[1, 2], [2, 1]]);
    expect(again).toEqual({ read: 1, unread: 1, failed: 1, leftOut: 1 });
  });
});
