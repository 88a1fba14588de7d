// One websocket for all topics. It resumes by cursor after a cut, and lets the host send only as fast as frames are
// applied.

import { apply, type Known, nothing } from './store';
import type { LiveFrame, LiveHealth, LiveRequest } from './wire';

export type Status = 'connecting' | 'live' | 'reconnecting' | 'ended';

// What the page shows. A new object whenever anything in it changed.
export interface View {
  status: Status;
  known: Known;
  health: LiveHealth;
}

const firstWait = 250;
const longestWait = 10_000;
const silence = 5_000; // the host sends its health every second

export class Live {
  private view: View = { status: 'connecting', known: nothing, health: {} };
  private listeners = new Set<() => void>();
  private socket: WebSocket | undefined;
  private wait = firstWait;
  private timer: number | undefined;
  private watchdog: number | undefined;
  private scheduled = false;
  private closed = false;

  // ended is called when the session is over: the host closed the connection for that, or refuses a new one.
  constructor(
    private readonly url: string,
    private readonly signedIn: () => Promise<boolean>,
    private readonly ended: () => void,
  ) {
    this.connect();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  current = (): View => this.view;

  // update changes what is known, and tells the page at most once a picture.
  update(change: Partial<View>): void {
    this.view = { ...this.view, ...change };
    if (this.scheduled) return;
    this.scheduled = true;
    const tell = () => {
      this.scheduled = false;
      for (const listener of this.listeners) listener();
    };
    // A hidden tab gets no pictures, and must not pile up work either.
    if (document.hidden) setTimeout(tell, 1000);
    else requestAnimationFrame(tell);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    clearTimeout(this.watchdog);
    this.socket?.close();
  }

  private connect(): void {
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => {
      this.wait = firstWait;
      this.send({ subscribe: { topic: 'incidents', after: { ...this.view.known.cursors } } });
      this.send({ subscribe: { topic: 'health' } });
      this.update({ status: 'live' });
      this.heard();
    };
    socket.onmessage = (message: MessageEvent<string>) => {
      this.heard();
      const frame = JSON.parse(message.data) as LiveFrame;
      if (frame.changes) this.update({ known: apply(this.view.known, frame.changes) });
      if (frame.health) this.update({ health: frame.health });
      this.send({ credit: { frames: 1 } });
    };
    socket.onclose = () => {
      clearTimeout(this.watchdog);
      if (!this.closed) void this.retry();
    };
  }

  private send(request: LiveRequest): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(request));
  }

  // heard notes a sign of life: a connection that broke silently is closed when none comes.
  private heard(): void {
    clearTimeout(this.watchdog);
    const socket = this.socket;
    this.watchdog = window.setTimeout(() => socket?.close(), silence);
  }

  // retry connects again later, with half of the wait left to chance so that not all browsers come back at once.
  private async retry(): Promise<void> {
    this.update({ status: 'reconnecting' });
    const wait = this.wait / 2 + (Math.random() * this.wait) / 2;
    this.wait = Math.min(this.wait * 2, longestWait);
    let signedIn = true;
    try {
      signedIn = await this.signedIn();
    } catch {
      // The host is not there; whether the session is will be seen when it is.
    }
    if (this.closed) return;
    if (!signedIn) {
      this.update({ status: 'ended' });
      this.ended();
      return;
    }
    this.timer = window.setTimeout(() => this.connect(), wait);
  }
}
