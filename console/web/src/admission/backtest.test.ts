import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { type BacktestModuleResponse, BacktestModuleResponseSchema, BacktestReportSchema } from '../gen/vedette/v1/backtest_pb';
import { type Ask, Backtest, changed, changeOf, fateOf, type Run, select, type Trial, verdict } from './backtest';

const trial: Trial = { tenant: 3, name: 'doors', candidate: { case: 'spec', value: 'framing: none' }, grants: [] };
const hour = { last: 3_600, shadow: 0 };
const message = (m: object) => create(BacktestModuleResponseSchema, m);
const report = (r: object) => create(BacktestReportSchema, r);

// stream answers with messages, and notes what it was asked.
function stream(messages: BacktestModuleResponse[], asked: Parameters<Ask>[] = []): Ask {
  return async function* (...question) {
    asked.push(question);
    yield* messages;
  };
}

function phases(test: Backtest): Run[] {
  const seen: Run[] = [];
  test.subscribe(() => seen.push(test.current()));
  return seen;
}

describe('a comparison', () => {
  it('goes through what is stored, then beside the stream, and ends with a report', async () => {
    const asked: Parameters<Ask>[] = [];
    const messages = [
      message({ phase: 'stored', records: 100, changed: 4 }),
      message({ phase: 'live', records: 103, changed: 4 }),
      message({ phase: 'live', records: 110, changed: 6 }),
      message({ records: 110, changed: 6, report: { records: 110, changed: 6 } }),
    ];
    let now = 1_000;
    const test = new Backtest(stream(messages, asked), () => (now += 500));
    const seen = phases(test);
    await test.start(trial, { last: 86_400, shadow: 60 });
    expect(seen.map((r) => r.phase)).toEqual(['stored', 'stored', 'live', 'live', 'done']);
    expect(seen[3]).toEqual({ phase: 'live', since: 1_500, live: 10, differ: 2 });
    expect(asked[0]![0]).toMatchObject({ tenant: 3, name: 'doors', candidate: { case: 'spec' }, last: { seconds: 86_400n }, shadow: { seconds: 60n } });
  });

  it('says why it failed, and that an answer is missing', async () => {
    const test = new Backtest(async function* () {
      yield await Promise.reject(new Error('no room'));
    });
    await test.start(trial, hour);
    expect(test.current()).toMatchObject({ phase: 'failed', error: { message: 'no room' } });
    const mute = new Backtest(stream([message({ phase: 'stored', records: 1 })]));
    await mute.start(trial, hour);
    expect(mute.current().phase).toBe('failed');
  });

  it('forgets what it found when it is stopped, and what an earlier one still says', async () => {
    let let1: () => void = () => {};
    const gate = new Promise<void>((resolve) => (let1 = resolve));
    let first = true;
    const test = new Backtest(async function* (_, { signal }) {
      if (!first) return void (yield message({ report: { records: 2 } }));
      first = false;
      await gate;
      expect(signal.aborted).toBe(true);
      yield message({ report: { records: 1 } });
    });
    const old = test.start(trial, hour);
    await test.start(trial, hour);
    let1();
    await old;
    expect(test.current()).toMatchObject({ phase: 'done', report: { records: 2 } });
    test.stop();
    expect(test.current()).toEqual({ phase: 'none' });
  });
});

describe('words', () => {
  it('say what a run found', () => {
    expect(verdict(report({ records: 3_204, changed: 412, incidentsAppear: 2, incidentsRecounted: 1 }), hour)).toBe('Over the last hour it would have changed the events of 412 of 3,204 records and 3 incidents.');
    expect(verdict(report({ records: 7, incidentsAppear: 1 }), hour)).toBe('Over the last hour it would have changed 1 incident; the events of all 7 records come out the same.');
    expect(verdict(report({ records: 1 }), { last: 86_400, shadow: 0 })).toBe('Over the last day it would have changed nothing: 1 record and all incidents come out the same.');
    expect(verdict(report({}), hour)).toBe('Over the last hour there is no record to compare it on.');
  });

  it('say what becomes of a record and of an incident', () => {
    expect([['', 'a/b'], ['a/b', ''], ['a/b', 'a/c'], ['a/b', 'a/b'], ['', '']].map(([parser, wouldParser]) => changeOf({ parser: parser!, wouldParser: wouldParser! }))).toEqual(['new', 'lost', 'rewritten', 'rewritten', 'rewritten']);
    expect([fateOf({ is: 0n, would: 3n }), fateOf({ is: 2n, would: 0n }), fateOf({ is: 1_200n, would: 7n })]).toEqual(['would appear', 'would not be', 'would count 7, not 1,200']);
    expect(changed(report({ changed: 10, newlyRead: 3, noLongerRead: 2 }))).toEqual({ new: 3, lost: 2, rewritten: 5 });
  });

  it('choose records by kind and field', () => {
    const { examples } = report({
      examples: [
        { id: '1', wouldParser: 'a/b', fields: [{ name: 'user.name', would: 'ada' }] },
        { id: '2', parser: 'a/b', wouldParser: 'a/b', fields: [{ name: 'user.name', is: 'ada', would: 'eve' }] },
        { id: '3', parser: 'a/b', wouldParser: 'a/b', fields: [{ name: 'host.name', is: 'x' }] },
      ],
    });
    const ids = (kind: string, field: string) => select(examples, kind, field).map((e) => e.id);
    expect([ids('', ''), ids('rewritten', ''), ids('', 'user.name'), ids('new', 'host.name')]).toEqual([['1', '2', '3'], ['2', '3'], ['1', '2'], []]);
  });
});
