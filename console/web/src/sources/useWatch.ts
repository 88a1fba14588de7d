// What arrives for an organization from now on, or why nothing does.

import { useCallback, useEffect, useState } from 'react';
import { sources } from '../api/clients';
import { isCancelled } from '../api/errors';
import type { WatchSourceResponse } from '../gen/vedette/v1/source_pb';

export interface Watch {
  readonly news: WatchSourceResponse | undefined;
  readonly error: unknown;
  // In milliseconds since 1970.
  readonly since: number;
  readonly again: () => void;
}

// The host ends a watch after 15 minutes, and a restart of the host does; both times it goes on.
const pause = 1_000;

// useWatch watches while the component is shown; tenant 0 is nobody.
export function useWatch(tenant: number): Watch {
  const [state, setState] = useState<Omit<Watch, 'again'>>({ news: undefined, error: undefined, since: Date.now() });
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (tenant === 0) return;
    const own = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    setState({ news: undefined, error: undefined, since: Date.now() });
    const watch = async () => {
      try {
        for await (const news of sources.watchSource({ tenant }, { signal: own.signal })) setState((s) => ({ ...s, news, error: undefined }));
      } catch (error) {
        if (own.signal.aborted || isCancelled(error)) return;
        setState((s) => ({ ...s, error }));
      }
      if (!own.signal.aborted) timer = setTimeout(() => void watch(), pause);
    };
    void watch();
    return () => {
      own.abort();
      clearTimeout(timer);
    };
  }, [tenant, round]);
  return { ...state, again: useCallback(() => setRound((n) => n + 1), []) };
}
