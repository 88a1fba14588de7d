// One websocket for all topics. It resumes by cursor after a cut, and lets the host send only as fast as frames are
// applied.

import { fromJson, toJsonString, create, type JsonValue } from '@bufbuild/protobuf';
import { type LiveFrame, LiveFrameSchema, type LiveHealth, type LiveRequest, LiveRequestSchema } from '../gen/vedette/v1/live_pb';
import type { Incidents } from './incidents';

export type Status = 'connecting' | 'live' | 'reconnecting' | 'ended';

// What the top bar shows; a new object whenever anything in it changes.
export interface Line {
  readonly status: Status;
  readonly eventsPerSecond: number;
  readonly dropped: number;
  // When the connection broke, in milliseconds since 1970; 0 while it stands.
  readonly brokenSince: number;
}

export interface Config {
  url: string;
  incidents: Incidents;
  // Whether there is still a session; asked after each cut. It throws when the host does not answer.
  signedIn: () => Promise<boolean>;
  // The session is over.
  ended: () => void;
  open?: (url: string) => WebSocket;
  random?: () => number;
}

const firstWait = 250;
const longestWait = 10_000;
const silence = 5_000; // the host sends its health every second

export class Connection {
  private line: Line = { status: 'connecting', eventsPerSecond: 0, dropped: 0, brokenSince: 0 };
  private listeners = new Set<() => void>();
  private socket: WebSocket | undefined;
  private tenants: readonly number[] = [];
  private wait = firstWait;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watchdog: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly config: Config) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  current = (): Line => this.line;

  // follow drops the stream that there is and follows these organizations; empty means all of the user's.
  follow(tenants: readonly number[]): void {
    this.tenants = tenants;
    if (tenants.length > 0) this.config.incidents.retain(tenants);
    this.wait = firstWait;
    this.connect();
  }

  // retry does not wait any longer.
  retry = (): void => {
    if (this.line.status === 'reconnecting') this.connect();
  };

  close(): void {
    clearTimeout(this.timer);
    clearTimeout(this.watchdog);
    const socket = this.socket;
    this.socket = undefined;
    socket?.close();
  }

  private connect(): void {
    this.close();
    const socket = (this.config.open ?? ((url) => new WebSocket(url)))(this.config.url);
    this.socket = socket;
    // What a socket says that was replaced does not count.
    const mine = (then: () => void) => () => void (this.socket === socket && then());
    socket.onopen = mine(() => this.opened());
    socket.onmessage = (e: MessageEvent<string>) => mine(() => this.received(e.data))();
    socket.onclose = mine(() => void this.broken());
    this.heard();
  }

  private opened(): void {
    this.wait = firstWait;
    const { cursors } = this.config.incidents;
    const after = Object.fromEntries(cursors) as Record<number, bigint>;
    this.send({ case: 'subscribe', value: { topic: 'incidents', after, tenants: [...this.tenants] } });
    this.send({ case: 'subscribe', value: { topic: 'health' } });
    this.update({ status: 'live', brokenSince: 0 });
    this.heard();
  }

  private received(data: string): void {
    this.heard();
    const frame: LiveFrame = fromJson(LiveFrameSchema, JSON.parse(data) as JsonValue, { ignoreUnknownFields: true });
    if (frame.kind.case === 'changes') this.config.incidents.apply(frame.kind.value);
    else if (frame.kind.case === 'health') this.health(frame.kind.value);
    this.send({ case: 'credit', value: { frames: 1 } });
  }

  private health(h: LiveHealth): void {
    this.update({ eventsPerSecond: h.eventsPerSecond, dropped: Number(h.dropped) });
  }

  private send(kind: Parameters<typeof create<typeof LiveRequestSchema>>[1] extends infer I ? (I extends { kind?: infer K } ? K : never) : never): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    const request: LiveRequest = create(LiveRequestSchema, { kind } as never);
    this.socket.send(toJsonString(LiveRequestSchema, request));
  }

  private update(change: Partial<Line>): void {
    this.line = { ...this.line, ...change };
    for (const listener of this.listeners) listener();
  }

  // heard notes a sign of life: a connection that broke silently is closed when none comes.
  private heard(): void {
    clearTimeout(this.watchdog);
    const socket = this.socket;
    this.watchdog = setTimeout(() => {
      socket?.close();
      if (this.socket === socket) void this.broken(); // closing waits for the other side, which may be gone
    }, silence);
  }

  // broken connects again later, with half of the wait left to chance so that not all browsers come back at once.
  private async broken(): Promise<void> {
    clearTimeout(this.watchdog);
    const socket = this.socket;
    this.socket = undefined;
    if (socket) socket.onclose = null;
    this.update({ status: 'reconnecting', brokenSince: this.line.brokenSince || Date.now() });
    const wait = this.wait / 2 + ((this.config.random ?? Math.random)() * this.wait) / 2;
    this.wait = Math.min(this.wait * 2, longestWait);
    clearTimeout(this.timer);
    const timer = setTimeout(() => this.connect(), wait);
    this.timer = timer;
    let signedIn = true;
    try {
      signedIn = await this.config.signedIn();
    } catch {
      return; // the host is not there; whether the session is will be seen when it is
    }
    if (signedIn || this.timer !== timer) return;
    this.close();
    this.update({ status: 'ended' });
    this.config.ended();
  }
}
