import { toJsonString } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Incident } from '../gen/vedette/v1/incident_pb';
import { type LiveFrame, LiveFrameSchema } from '../gen/vedette/v1/live_pb';
import { Connection } from './connection';
import { Incidents } from './incidents';
import { changes, incident } from './testdata';

// Socket is the other side of a websocket.
class Socket {
  static all: Socket[] = [];
  readyState = 0;
  sent: { subscribe?: { topic: string; after?: Record<string, string>; tenants?: number[] }; credit?: { frames: number } }[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor() {
    Socket.all.push(this);
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  frame(kind: LiveFrame['kind']): void {
    this.onmessage?.({ data: toJsonString(LiveFrameSchema, create(LiveFrameSchema, { kind })) });
  }

  changes(more: Parameters<typeof changes>[0]): void {
    this.frame({ case: 'changes', value: changes(more) });
  }

  close(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose?.();
  }
}

const newest = (): Socket => Socket.all.at(-1)!;
const subscription = (s: Socket) => s.sent.find((r) => r.subscribe?.topic === 'incidents')?.subscribe;

let incidents: Incidents;
let session: () => Promise<boolean>;
let ended: ReturnType<typeof vi.fn<() => void>>;
let connection: Connection;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', { OPEN: 1 });
  Socket.all = [];
  incidents = new Incidents();
  session = async () => true;
  ended = vi.fn();
  connection = new Connection({ url: 'ws://x/live', incidents, signedIn: () => session(), ended, open: () => new Socket() as unknown as WebSocket, random: () => 1 });
});
afterEach(() => {
  connection.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the connection', () => {
  it('subscribes, applies frames and gives credit for each', () => {
    connection.follow([]);
    expect(connection.current().status).toBe('connecting');
    newest().open();
    expect(connection.current().status).toBe('live');
    expect(newest().sent.map((r) => r.subscribe?.topic)).toEqual(['incidents', 'health']);
    newest().changes({ snapshot: true, cursor: 7n, incidents: [incident('a')] });
    newest().frame({ case: 'health', value: { $typeName: 'vedette.v1.LiveHealth', eventsPerSecond: 47.5, dropped: 3n } });
    expect(newest().sent.filter((r) => r.credit?.frames === 1)).toHaveLength(2);
    expect(incidents.rows.size).toBe(1);
    expect(connection.current()).toMatchObject({ eventsPerSecond: 47.5, dropped: 3 });
  });

  it('resumes after a cut from the cursor that it had', async () => {
    connection.follow([]);
    newest().open();
    newest().changes({ snapshot: true, cursor: 7n, incidents: [incident('a')] });
    newest().close();
    expect(connection.current().status).toBe('reconnecting');
    await vi.advanceTimersByTimeAsync(250);
    newest().open();
    expect(Socket.all).toHaveLength(2);
    expect(subscription(newest())?.after).toEqual({ 1: '7' });
    expect(connection.current()).toMatchObject({ status: 'live', brokenSince: 0 });
  });

  it('waits longer each time, up to ten seconds', async () => {
    session = () => Promise.reject(new Error('no host'));
    connection.follow([]);
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      newest().close();
      const before = Socket.all.length;
      let waited = 0;
      while (Socket.all.length === before) {
        await vi.advanceTimersByTimeAsync(50);
        waited += 50;
      }
      waits.push(waited);
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  });

  it('ends when the session has', async () => {
    connection.follow([]);
    newest().open();
    session = async () => false;
    newest().close();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(ended).toHaveBeenCalledOnce();
    expect(connection.current().status).toBe('ended');
    expect(Socket.all).toHaveLength(1);
  });

  it('takes silence for a cut', async () => {
    connection.follow([]);
    newest().open();
    newest().close = () => {}; // the other side does not answer
    await vi.advanceTimersByTimeAsync(5_100);
    expect(connection.current().status).toBe('reconnecting');
    await vi.advanceTimersByTimeAsync(300);
    expect(Socket.all).toHaveLength(2);
  });

  it('drops the old stream with what it knew when the organization changes', () => {
    connection.follow([]);
    const old = newest();
    old.open();
    for (const tenant of [1, 2]) old.changes({ tenant, snapshot: true, cursor: 5n, incidents: [incident(`i${tenant}`, { tenant })] });
    connection.follow([2]);
    newest().open();
    expect(old.readyState).toBe(3);
    expect(subscription(newest())).toMatchObject({ tenants: [2], after: { 2: '5' } });
    old.changes({ tenant: 1, cursor: 6n, incidents: [incident('late')] });
    expect([...incidents.rows.keys()]).toEqual(['i2']);
  });
});

// A host that keeps changes by cursor, as console/live does, and a connection that breaks anywhere.
describe('a hundred random cuts', () => {
  it('lose nothing and double nothing', async () => {
    let seed = 20261122;
    const random = (n: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      return seed % n;
    };
    const log: { id: string; count: bigint; at: number }[] = [];
    const state = new Map<string, Incident>();
    const change = () => {
      const id = `i${random(50)}`;
      const count = (state.get(id)?.count ?? 0n) + 1n;
      log.push({ id, count, at: log.length + 1 });
      state.set(id, incident(id, { updated: 1_000 + log.length, count }));
    };
    const arrived = new Map<string, bigint>();
    incidents.subscribe(() => {});
    const put = incidents.put.bind(incidents);
    incidents.put = (i) => {
      expect(i.count).toBeGreaterThanOrEqual(arrived.get(i.id) ?? 0n);
      arrived.set(i.id, i.count);
      put(i);
    };
    // One answer of the host: what changed after the cursor, an incident once, at most `most` of them.
    const answer = (socket: Socket, after: bigint | undefined, most: number) => {
      const begin = Number(after ?? 0n);
      const upTo = Math.min(log.length, begin + most);
      const changed = [...new Set(log.slice(begin, upTo).map((l) => l.id))];
      socket.changes({ snapshot: after === undefined, cursor: BigInt(upTo), incidents: changed.map((id) => state.get(id)!) });
    };
    connection.follow([]);
    for (let cut = 0; cut < 100; cut++) {
      newest().open();
      const after = subscription(newest())?.after?.['1'];
      let cursor = after === undefined ? undefined : BigInt(after);
      for (let n = random(4); n > 0; n--) {
        for (let c = random(6); c > 0; c--) change();
        answer(newest(), cursor, 1 + random(8));
        cursor = incidents.cursors.get(1);
      }
      newest().close();
      await vi.advanceTimersByTimeAsync(300);
    }
    newest().open();
    answer(newest(), incidents.cursors.get(1), log.length);
    expect(new Map([...incidents.rows].map(([id, r]) => [id, r.count]))).toEqual(new Map([...state].map(([id, i]) => [id, Number(i.count)])));
  });
});
