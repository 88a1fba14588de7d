import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { PositionsSchema, StageSchema } from '../gen/vedette/v1/health_pb';
import { drops, forecast, headline, parts, places, round, use } from './figures';

describe('health', () => {
  it('begins with what the machine holds', () => {
    expect(headline({ eventsPerSecond: 5000, sustainableEventsPerSecond: 38_412.7, slowestStage: 'parse' })).toBe('This machine holds 38,000 events/s; slowest stage parse');
    expect(headline({ eventsPerSecond: 40, sustainableEventsPerSecond: 9_012, slowestStage: 'parse' })).toContain('holds at least 9,000 events/s');
    expect(headline({ eventsPerSecond: 0, sustainableEventsPerSecond: 0, slowestStage: '' })).toContain('after its first 1,000 events');
  });
  it('rounds to two digits', () => expect([0, 7.4, 99, 101, 2437, 38_412].map(round)).toEqual([0, 7, 99, 100, 2400, 38_000]));
  it('knows how much of that is used', () => {
    expect(use({ eventsPerSecond: 50, sustainableEventsPerSecond: 200 })).toBe(0.25);
    expect(use({ eventsPerSecond: 300, sustainableEventsPerSecond: 200 })).toBe(1);
    expect(use({ eventsPerSecond: 50, sustainableEventsPerSecond: 0 })).toBeUndefined();
  });
  it('splits the cost by stage', () => {
    const stage = (name: string, us: number) => create(StageSchema, { name, cpuMicrosecondsPerEvent: us });
    expect(parts([stage('parse', 30), stage('store', 10)]).map((p) => p.share)).toEqual([0.75, 0.25]);
    expect(parts([stage('parse', 0)])[0]!.share).toBe(0);
  });
  it('says how far each part is behind', () => {
    const p = places(create(PositionsSchema, { first: 1n, last: 100n, processed: 98n, applied: 98n, checkpoint: 50n, storedDurable: 0n }));
    expect(p.map((x) => x.behind)).toEqual([0, 2, 2, 50, 100, 99]);
  });
  it('shows usual reasons with 0, and unknown ones in words', () => {
    const all = drops({ 'store.too_old': 3n, 'receive.new_reason': 5n });
    expect(all.slice(0, 2).map((d) => [d.words, d.count])).toEqual([['new reason', 5n], ['older than what is kept', 3n]]);
    expect(all.find((d) => d.reason === 'queue.lost')?.count).toBe(0n);
  });
  it('says when the disk ends', () => {
    const of = (daysLeft: number, daysLeftUntil = 'the disk is full') => forecast({ daysLeft, daysLeftUntil, storeBytesPerDay: 1 });
    expect(of(41.7)).toEqual({ text: 'full in 41 days at today’s growth', soon: false });
    expect(of(0.5)).toEqual({ text: 'full within a day at today’s growth', soon: true });
    expect(of(3, 'retention.bytes is reached')).toEqual({ text: 'retention begins to drop in 3 days at today’s growth', soon: false });
    expect(of(0).text).toBe('growth is not known yet');
    expect(of(9_000).text).toContain('for years');
  });
});
