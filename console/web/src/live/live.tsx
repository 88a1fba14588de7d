// The live connection as React sees it.

import { Code, ConnectError } from '@connectrpc/connect';
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import { auth } from '../api/clients';
import { Connection, type Line } from './connection';
import { Incidents } from './incidents';
import type { Row } from './row';

interface Live {
  incidents: Incidents;
  connection: Connection;
}

const context = createContext<Live | undefined>(undefined);

async function signedIn(): Promise<boolean> {
  try {
    await auth.whoAmI({});
    return true;
  } catch (e) {
    if (ConnectError.from(e).code === Code.Unauthenticated) return false;
    throw e;
  }
}

interface Props {
  // The organizations that are looked at; empty for all.
  tenants: readonly number[];
  // All that there are; undefined while that is not known yet.
  all: readonly number[] | undefined;
  ended: () => void;
  children: ReactNode;
}

// LiveProvider keeps one connection while the signed-in console is shown.
export function LiveProvider({ tenants, all, ended, children }: Props) {
  const [live] = useState((): Live => {
    const incidents = new Incidents();
    const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/live`;
    return { incidents, connection: new Connection({ url, incidents, signedIn, ended }) };
  });
  const key = all && tenants.join();
  useEffect(() => {
    if (key === undefined) return;
    live.connection.follow(key === '' ? [] : key.split(',').map(Number));
    return () => live.connection.close();
  }, [live, key]);
  // An organization that was removed takes its incidents with it.
  useEffect(() => {
    if (all) live.incidents.retain(all);
  }, [live, all]);
  useEffect(() => {
    const { retry } = live.connection;
    addEventListener('online', retry);
    return () => removeEventListener('online', retry);
  }, [live]);
  return <context.Provider value={live}>{children}</context.Provider>;
}

export function useLive(): Live {
  const live = useContext(context);
  if (!live) throw new Error('useLive outside of the signed-in console');
  return live;
}

// useLine returns the state of the connection, the rate of events and what was dropped.
export function useLine(): Line {
  const { connection } = useLive();
  return useSyncExternalStore(connection.subscribe, connection.current);
}

// useIncident returns the newest state of an incident that the stream has brought, if it has.
export function useIncident(id: string): Row | undefined {
  const { incidents } = useLive();
  return useSyncExternalStore(
    (tell) => incidents.subscribe((batch) => batch.has(id) && tell()),
    () => incidents.rows.get(id),
  );
}
