import { useSyncExternalStore } from 'react';
import { age, clock, shortAge } from './age';

// One clock for all ages on the page.
let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const l of listeners) l();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

// useNow is the time in milliseconds, once a second.
export const useNow = (): number => useSyncExternalStore(subscribe, () => now);

// Age says how long ago a moment (milliseconds since 1970) was; its title has the moment itself, with zone.
export function Age({ at, short = false, ago = false }: { at: number; short?: boolean; ago?: boolean }) {
  const text = useSyncExternalStore(subscribe, () => (short ? shortAge : age)(at, now));
  if (!at) return <span className="dim">–</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={clock(at)}>
      {text}
      {ago && text !== 'now' && ' ago'}
    </time>
  );
}
