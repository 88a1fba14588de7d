// An installation from the click to the first record that the new parser reads.

import { Code, ConnectError } from '@connectrpc/connect';
import { useCallback, useEffect, useRef, useState } from 'react';
import { events, modules } from '../api/clients';
import { explain, isCancelled } from '../api/errors';
import type { Event } from '../gen/vedette/v1/event_pb';
import type { InstallModuleResponse, Module } from '../gen/vedette/v1/module_pb';
import { failedStep, steps } from './words';

export interface Order {
  readonly tenant: number;
  // "publisher/name".
  readonly module: string;
  readonly version: string;
  readonly spec: string;
  readonly samples: readonly Uint8Array[];
  // A package instead of a spec, with what it may do.
  readonly archive?: Uint8Array;
  readonly grants?: readonly string[];
  readonly kind: string;
}

export type Installation =
  | { readonly phase: 'none' }
  | { readonly phase: 'running'; readonly order: Order }
  | { readonly phase: 'refused'; readonly order: Order; readonly step: number; readonly error: unknown }
  | {
      // Nothing was installed: it asks for what nobody has granted.
      readonly phase: 'waiting';
      readonly order: Order;
      readonly request: bigint;
      readonly missing: readonly string[];
    }
  | {
      readonly phase: 'active';
      readonly order: Order;
      readonly module: Module;
      readonly cases: number;
      readonly replaced: boolean;
      // What the installation took away.
      readonly warnings: readonly string[];
      readonly kept: readonly string[]; // what became of what its rules knew
      // In milliseconds since 1970.
      readonly at: number;
      // Records that had gone missing before it was swapped in, since the host started.
      readonly before: number;
      // The first event that it has read, and how long after the installation.
      readonly first?: { readonly event: Event; readonly after: number };
      // It was taken back.
      readonly undone?: string;
    };

const send = async (o: Order): Promise<Pick<InstallModuleResponse, 'module' | 'replacedDigest' | 'cases' | 'waiting' | 'missing' | 'warnings' | 'state'>> =>
  o.archive
    ? await modules.installModule({ tenant: o.tenant, package: o.archive, grants: [...(o.grants ?? [])] })
    : { waiting: 0n, missing: [], warnings: [], state: [], ...(await installSpec(o)) };

const installSpec = (o: Order) =>
  modules.installSpec({ tenant: o.tenant, name: o.module.split('/')[1]!, version: o.version, spec: o.spec, samples: [...o.samples] });

// useInstall installs what it is given. dropped returns how many records went missing since the host started.
export function useInstall(dropped: () => number) {
  const [state, setState] = useState<Installation>({ phase: 'none' });
  const tail = useRef<AbortController>(undefined);
  const count = useRef(dropped);
  count.current = dropped;
  useEffect(() => () => tail.current?.abort(), []);

  const install = useCallback(async (order: Order) => {
    tail.current?.abort();
    const own = new AbortController();
    tail.current = own;
    setState({ phase: 'running', order });
    const before = count.current();
    let at = 0; // when it was installed
    let early: Event | undefined;
    const found = (event: Event) => {
      if (at === 0) early = event;
      else setState((s) => (s.phase === 'active' && !s.first && !own.signal.aborted ? { ...s, first: { event, after: Math.max(0, Date.now() - at) } } : s));
    };
    try {
      if (order.kind === 'parser') await watch(order, found, own.signal);
      const done = await send(order);
      if (own.signal.aborted) return;
      if (done.waiting > 0n) {
        own.abort();
        return setState({ phase: 'waiting', order, request: done.waiting, missing: done.missing });
      }
      if (!done.module) throw new Error('another change took it out again at once');
      at = Date.now();
      const replaced = done.replacedDigest !== '';
      setState({ phase: 'active', order, module: done.module, cases: done.cases, replaced, warnings: done.warnings, kept: done.state, at, before });
      // What came before the answer did can only be the work of a version that replaced none.
      if (early && !replaced) found(early);
    } catch (error) {
      if (own.signal.aborted || isCancelled(error)) return;
      own.abort();
      setState({ phase: 'refused', order, step: Math.min(failedStep(explain(error).text), steps.length - 1), error });
    }
  }, []);

  const undo = useCallback(async (order: Order, replaced: boolean): Promise<void> => {
    if (replaced) await modules.rollbackModule({ name: order.module, tenant: order.tenant });
    else await modules.setModuleEnabled({ name: order.module, tenant: order.tenant, enabled: false });
    tail.current?.abort();
    setState((s) => (s.phase === 'active' ? { ...s, undone: replaced ? 'is taken back: the version before runs again.' : 'is switched off.' } : s));
  }, []);

  return { state, install, undo };
}

const pause = 1_000; // ms before a tail that broke is begun anew

// watch hands on the events that a parser reads. It returns as soon as none will be missed; whoever may not read events is
// told of none.
function watch(order: Order, found: (e: Event) => void, signal: AbortSignal): Promise<void> {
  const filter = `vedette.parser:=${JSON.stringify(order.module)}`;
  return new Promise((ready) => {
    const run = async () => {
      try {
        for await (const { events: portion } of events.tail({ filter, tenants: order.tenant ? [order.tenant] : [] }, { signal })) {
          ready();
          portion.forEach(found);
        }
      } catch (e) {
        ready();
        if (signal.aborted || ConnectError.from(e).code === Code.PermissionDenied) return;
      }
      setTimeout(() => void (!signal.aborted && run()), pause);
    };
    void run();
  });
}
