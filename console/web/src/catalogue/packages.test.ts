import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { type RegistryPackage, RegistryPackageSchema } from '../gen/vedette/v1/registry_pb';
import { entries, select, sorted, updateOf } from './packages';

const version = (v: string, more: Partial<RegistryPackage> = {}) =>
  create(RegistryPackageSchema, { reference: `acme/oven:${v}`, digest: `sha256:${v}`, kind: 'parser', title: 'Oven', ...(more as object) });

describe('entries', () => {
  it('is one for each module, with what can be installed in front', () => {
    const kettle = create(RegistryPackageSchema, { reference: 'acme/kettle:1.0.0', digest: 'sha256:k', kind: 'rule', runs: 3 });
    const all = entries([kettle, version('1.2.0', { standing: 'yanked' }), version('1.1.0', { running: true, runs: 2 }), version('1.0.0', { runs: 1 })]);
    expect(all.map((e) => [e.module, e.newest.reference, e.running?.reference, e.runs])).toEqual([
      ['acme/kettle', 'acme/kettle:1.0.0', undefined, 3],
      ['acme/oven', 'acme/oven:1.1.0', 'acme/oven:1.1.0', 3],
    ]);
    expect(select(all, { kind: 'rule', text: '' }).map((e) => e.module)).toEqual(['acme/kettle']);
    expect(select(all, { kind: '', text: ' OVEN ' }).map((e) => e.module)).toEqual(['acme/oven']);
    expect(sorted(all, '-module').map((e) => e.module)).toEqual(['acme/oven', 'acme/kettle']);
    expect(sorted(all, 'runs').map((e) => e.module)).toEqual(['acme/kettle', 'acme/oven']);
  });
  it('shows a module of which every version is withdrawn', () => {
    expect(entries([version('1.0.0', { standing: 'revoked' })])[0]!.newest.reference).toBe('acme/oven:1.0.0');
  });
});

describe('updateOf', () => {
  const from = (running: string, ...versions: RegistryPackage[]) => updateOf({ versions }, `sha256:${running}`);
  it('follows the channel stable', () => {
    const list = [version('2.0.0', { channels: ['beta'] }), version('1.4.0', { channels: ['stable'] }), version('1.3.0')];
    expect(from('1.3.0', ...list)).toEqual({ reference: 'acme/oven:1.4.0', version: '1.4.0', channel: 'stable' });
    expect(from('1.4.0', ...list)).toBeUndefined();
    expect(from('2.0.0', ...list)).toBeUndefined();
    expect(from('0.9.0', ...list)).toBeUndefined();
  });
  it('goes to the newest release where there are no channels', () => {
    const list = [version('2.0.0', { standing: 'yanked' }), version('1.5.0-rc.1'), version('1.4.0'), version('1.3.0')];
    expect(from('1.3.0', ...list)).toEqual({ reference: 'acme/oven:1.4.0', version: '1.4.0', channel: '' });
    expect(from('1.5.0-rc.1', ...list)).toBeUndefined();
  });
  it('goes nowhere when nothing is stable', () => {
    expect(from('1.3.0', version('1.4.0', { channels: ['beta'] }), version('1.3.0'))).toBeUndefined();
  });
});
