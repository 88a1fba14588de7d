import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { TacticSchema } from '../gen/vedette/v1/rule_pb';
import { columnsOf, countsOf, move } from './coverage';

const t = (id: string, state: string, subs: { id: string; state: string }[] = []) => ({ id, name: `name of ${id}`, state, rules: [], subs: subs.map((s) => ({ ...s, name: '', rules: [], subs: [] })) });
const tactics = [
  create(TacticSchema, { id: 'TA1', name: 'One', techniques: [t('T1', 'covered', [{ id: 'T1.001', state: 'off' }]), t('T2', 'none')] }),
  create(TacticSchema, { id: 'TA2', name: 'Two', techniques: [t('T2', 'none')] }),
  create(TacticSchema, { id: 'TA3', name: 'Three', techniques: [t('T1', 'covered'), t('T3', 'silent'), t('T4', 'off')] }),
];
const shown = (filter: Partial<{ all: boolean; state: string; text: string }>) => columnsOf(tactics, { all: false, state: '', text: '', ...filter }).map((c) => c.techniques.map((x) => x.id).join(' '));

test('the matrix shows what rules name, all of it, one state, or a text', () => {
  expect(shown({})).toEqual(['T1', '', 'T1 T3 T4']);
  expect(shown({ all: true })).toEqual(['T1 T2', 'T2', 'T1 T3 T4']);
  expect(shown({ state: 'off' })).toEqual(['T1', '', 'T4']);
  expect(shown({ text: 'NAME OF T3' })).toEqual(['', '', 'T3']);
  expect(shown({ text: 't1.001' })).toEqual(['T1', '', '']);
});

test('a technique of several tactics counts once', () => {
  expect([...countsOf(tactics)]).toEqual([['covered', 1], ['none', 1], ['silent', 1], ['off', 1]]);
});

test('arrows go from cell to cell, over empty columns', () => {
  const columns = columnsOf(tactics, { all: false, state: '', text: '' });
  expect(move(columns, { column: 0, row: 0 }, 'ArrowRight')).toEqual({ column: 2, row: 0 });
  expect(move(columns, { column: 2, row: 2 }, 'ArrowLeft')).toEqual({ column: 0, row: 0 });
  expect(move(columns, { column: 2, row: 2 }, 'ArrowDown')).toBeUndefined();
  expect(move(columns, { column: 2, row: 0 }, 'End')).toEqual({ column: 2, row: 2 });
});
