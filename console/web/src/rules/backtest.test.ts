import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { BacktestRuleResponseSchema, RuleBacktestSchema, RunIncidentSchema } from '../gen/vedette/v1/rule_pb';
import { Backtest, verdict } from './backtest';

const message = (m: Parameters<typeof create<typeof BacktestRuleResponseSchema>>[1]) => create(BacktestRuleResponseSchema, m);
const incident = (title: string) => create(RunIncidentSchema, { title });

test('a run goes from what is stored to the stream to its report', async () => {
  const seen: string[] = [];
  const store = new Backtest(async function* (request) {
    expect(request).toMatchObject({ text: 'a', tenant: 1, last: { seconds: 60n }, shadow: { seconds: 60n } });
    yield message({ phase: 'stored', events: 10, incidents: 1 });
    yield message({ phase: 'live', events: 12, news: [incident('x')] });
    yield message({ phase: 'live', events: 15, news: [incident('y')] });
    yield message({ report: { events: 15, matched: 3, total: 3 } });
  }, () => 5);
  store.subscribe(() => {
    const r = store.current();
    seen.push(r.phase === 'live' ? `live ${r.events} since ${r.since}: ${r.news.map((n) => n.title).join(' ')}` : r.phase === 'stored' ? `stored ${r.events}` : r.phase);
  });
  await store.start({ text: 'a', tenant: 1 }, { last: 60, shadow: 60 });
  expect(seen).toEqual(['stored 0', 'stored 10', 'live 2 since 5: x', 'live 5 since 5: x y', 'done']);
  store.stop();
  expect(store.current().phase).toBe('none');
});

test('an answer that never comes is a failure, and a stopped run says nothing', async () => {
  const store = new Backtest(async function* () { yield message({ phase: 'stored' }); }); // prettier-ignore
  await store.start({ text: 'a', tenant: 1 }, { last: 60, shadow: 0 });
  expect(store.current().phase).toBe('failed');
  const slow = new Backtest(async function* () { yield message({ phase: 'stored', events: 1 }); yield message({ report: {} }); }); // prettier-ignore
  const run = slow.start({ text: 'a', tenant: 1 }, { last: 60, shadow: 0 });
  slow.stop();
  await run;
  expect(slow.current().phase).toBe('none');
});

test('a report is told in a sentence', () => {
  const said = (r: object, span = { last: 86_400, shadow: 0 }) => verdict(create(RuleBacktestSchema, r), span);
  expect(said({ events: 0 })).toBe('Over the last day there is no event.');
  expect(said({ events: 10 })).toBe('Over the last day it would have raised no incident; none of 10 events takes part.');
  expect(said({ events: 12, liveEvents: 2, matched: 1, total: 1, truncated: true }, { last: 3_600, shadow: 60 })).toBe('Over the last hour, as far as the newest 10 events go and 1 min of the stream it would have raised 1 incident; 1 of 12 events takes part.');
  expect(said({ events: 2, liveEvents: 2, matched: 2, total: 2 }, { last: 0, shadow: 300 })).toBe('Over 5 min of the stream it would have raised 2 incidents; 2 of 2 events take part.');
});
