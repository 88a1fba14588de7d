import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { age, rate } from './age';
import { tenants as listTenants, whoAmI } from './call';
import { Live, type View } from './live';
import { newestFirst, nothing, seen } from './store';
import type { Incident, Tenant, User } from './wire';

const maxRows = 500; // the browser stays quick; older ones are counted below the table

const none: View = { status: 'connecting', known: nothing, health: {} };
const noSubscription = () => () => {};
const noView = () => none;

// useLive keeps one connection while the page is shown.
function useLive(ended: () => void): [View, Live | undefined] {
  const [live, setLive] = useState<Live>();
  useEffect(() => {
    const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/live`;
    const connection = new Live(url, async () => (await whoAmI()) !== undefined, ended);
    setLive(connection);
    return () => connection.close();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- ended only sets state
  }, []);
  return [useSyncExternalStore(live?.subscribe ?? noSubscription, live?.current ?? noView), live];
}

// useNow is the time, once a second.
function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

export function Incidents({ user, ended, signOut }: { user: User; ended: () => void; signOut: () => void }) {
  const [view, live] = useLive(ended);
  const [tenants, setTenants] = useState<Tenant[]>([]);
  const [all, setAll] = useState(false);
  const now = useNow();

  useEffect(() => {
    listTenants().then(setTenants, () => {}); // their numbers are shown instead
  }, []);
  const names = useMemo(() => new Map(tenants.map((t) => [t.id, t.name || t.slug])), [tenants]);
  const rows = useMemo(() => newestFirst(view.known, maxRows, (i) => all || i.state !== 'resolved'), [view.known, all]);
  const total = useMemo(
    () => [...view.known.incidents.values()].filter((i) => all || i.state !== 'resolved').length,
    [view.known, all],
  );
  const known = view.known.missed;

  return (
    <>
      <header>
        <h1>Vedette</h1>
        <Status view={view} />
        <span className="spring" />
        <span className="who">
          {user.name} <small>{user.role}</small>
        </span>
        <button type="button" className="quiet" onClick={signOut}>
          Sign out
        </button>
      </header>
      <main>
        <div className="bar">
          <h2>
            Incidents <small>{total.toLocaleString('en-US')}</small>
          </h2>
          <label className="check">
            <input type="checkbox" checked={all} onChange={(e) => setAll(e.target.checked)} /> with resolved ones
          </label>
        </div>
        {known > 0 && (
          <p className="missed" role="status">
            You missed {known.toLocaleString('en-US')} {known === 1 ? 'change' : 'changes'}: this page could not keep up. What you see is the
            latest.{' '}
            <button type="button" className="quiet" onClick={() => live?.update({ known: seen(live.current().known) })}>
              Dismiss
            </button>
          </p>
        )}
        <Table rows={rows} names={names} now={now} waiting={view.status === 'connecting' || Object.keys(view.known.cursors).length === 0} />
        {total > rows.length && <p className="more">{(total - rows.length).toLocaleString('en-US')} older ones are not shown.</p>}
      </main>
    </>
  );
}

function Status({ view }: { view: View }) {
  const dropped = Number(view.health.dropped ?? 0);
  if (view.status !== 'live') {
    return (
      <span className="status off" role="status">
        {view.status === 'connecting' ? 'connecting…' : 'reconnecting…'}
      </span>
    );
  }
  return (
    <span className="status on">
      live · {rate(view.health.eventsPerSecond ?? 0)} events/s
      {dropped > 0 && <strong> · {dropped.toLocaleString('en-US')} lost</strong>}
    </span>
  );
}

function Table({ rows, names, now, waiting }: { rows: Incident[]; names: Map<number, string>; now: number; waiting: boolean }) {
  if (rows.length === 0) return <p className="empty">{waiting ? 'Loading…' : 'No incidents. Quiet is good.'}</p>;
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Incidents">
      <table>
        <caption className="unseen">Incidents, the last changed first</caption>
        <thead>
          <tr>
            <th scope="col">Severity</th>
            <th scope="col">Incident</th>
            <th scope="col">Organization</th>
            <th scope="col">About</th>
            <th scope="col">State</th>
            <th scope="col" className="number">
              Count
            </th>
            <th scope="col" className="number">
              First seen
            </th>
            <th scope="col" className="number">
              Last seen
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((i) => (
            <Row key={i.id} incident={i} organization={names.get(i.tenant) ?? `no. ${i.tenant}`} now={now} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ incident: i, organization, now }: { incident: Incident; organization: string; now: number }) {
  const severity = i.severity ?? 'informational';
  return (
    <tr>
      <td>
        <span className={`severity ${severity}`}>{severity}</span>
      </td>
      <th scope="row">
        {i.title || i.ruleName || i.rule}
        {i.assignee && <small> {i.assignee}</small>}
      </th>
      <td>{organization}</td>
      <td className="key">
        {Object.entries(i.key ?? {}).map(([name, value]) => (
          <span key={name} title={name}>
            {value}
          </span>
        ))}
      </td>
      <td>
        <span className={`state ${i.state}`}>{i.state}</span>
        {i.verdict && <small> {i.verdict.replaceAll('_', ' ')}</small>}
      </td>
      <td className="number">{Number(i.count ?? 0).toLocaleString('en-US')}</td>
      <Moment at={i.firstSeen} now={now} />
      <Moment at={i.lastSeen} now={now} />
    </tr>
  );
}

function Moment({ at, now }: { at: string | undefined; now: number }) {
  return (
    <td className="number">
      <time dateTime={at} title={at && new Date(at).toLocaleString()}>
        {age(at, now)}
      </time>
    </td>
  );
}
