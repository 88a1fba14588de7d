// A trial against the live device, and the watch that is taken when it went well.

import { ConnectError } from '@connectrpc/connect';
import { useCallback, useRef, useState } from 'react';
import { monitors as calls } from '../api/clients';
import { isCancelled } from '../api/errors';
import { type Trial, TrialSchema, type Watch } from '../gen/vedette/v1/monitor_pb';
import { type Draft, requestOf } from './draft';

export type Phase =
  | { readonly phase: 'none' }
  | { readonly phase: 'trying' | 'applying' }
  | { readonly phase: 'tried'; readonly trial: Trial; readonly draft: Draft }
  | { readonly phase: 'failed'; readonly error: unknown };

export function useTrial(before: Watch | undefined, applied: () => void) {
  const [state, setState] = useState<Phase>({ phase: 'none' });
  const abort = useRef<AbortController>(undefined);
  const attempt = useCallback((draft: Draft, error: unknown) => {
    if (isCancelled(error)) return setState({ phase: 'none' });
    const [trial] = ConnectError.from(error).findDetails(TrialSchema);
    setState(trial ? { phase: 'tried', trial, draft } : { phase: 'failed', error });
  }, []);
  const tryOnce = useCallback(
    async (draft: Draft) => {
      abort.current?.abort();
      abort.current = new AbortController();
      setState({ phase: 'trying' });
      try {
        const { trial } = await calls.tryWatch(requestOf(draft, before), { signal: abort.current.signal });
        setState({ phase: 'tried', trial: trial!, draft });
      } catch (e) {
        attempt(draft, e);
      }
    },
    [before, attempt],
  );
  // apply has the host try it again by itself, unless untried: what is not there yet cannot answer.
  const apply = useCallback(
    async (draft: Draft, untried: boolean) => {
      setState({ phase: 'applying' });
      try {
        await calls.putWatch({ ...requestOf(draft, before), untried });
        setState({ phase: 'none' });
        applied();
      } catch (e) {
        attempt(draft, e);
      }
    },
    [before, applied, attempt],
  );
  const cancel = useCallback(() => abort.current?.abort(), []);
  return { state, tryOnce, apply, cancel };
}
