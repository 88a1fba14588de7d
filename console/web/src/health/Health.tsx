// How the host is doing.

import { useQuery } from '@connectrpc/connect-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect, useState } from 'react';
import { type GetHealthResponse, HealthService } from '../gen/vedette/v1/health_pb';
import { useLine } from '../live/live';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { bytes, count, plural, rate } from '../ui/age';
import { Page, Panel, Spring, useTitle } from '../ui/Layout';
import { Sparkline } from '../ui/Sparkline';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { drops, forecast, headline, parts, places, use } from './figures';
import css from './health.module.css';

const refresh = 2_000; // ms
const kept = 90; // rates of the line

export default function Health() {
  useTitle('Health');
  const { data, error, dataUpdatedAt, refetch } = useQuery(HealthService.method.getHealth, {}, { refetchInterval: refresh });
  const [rates, setRates] = useState<readonly number[]>([]);
  useEffect(() => {
    if (data) setRates((old) => [...old.slice(-(kept - 1)), data.eventsPerSecond]);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once for each answer
  }, [dataUpdatedAt]);
  return (
    <Page
      title="Health"
      actions={
        data && (
          <>
            <Spring />
            <span className="dim">
              Vedette {visible(data.version)}, up <Age at={millis(data.started)} />
            </span>
          </>
        )
      }
    >
      {error && <ErrorBox error={error} doing="Load health" retry={() => void refetch()} />}
      {data && <Body health={data} rates={rates} />}
    </Page>
  );
}

function Body({ health: h, rates }: { health: GetHealthResponse; rates: readonly number[] }) {
  const line = useLine();
  const used = use(h);
  const disk = forecast(h);
  return (
    <div className={css.health}>
      <header className={css.head}>
        <p className={css.headline}>{headline(h)}</p>
        {used !== undefined && (
          <p className="dim number">
            It does {rate(h.eventsPerSecond)} now, {used < 0.01 ? 'less than 1' : Math.round(used * 100)} % of that.
          </p>
        )}
      </header>
      <div className={css.tiles}>
        <Tile title="Events/s" value={rate(h.eventsPerSecond)}>
          <Sparkline values={rates} width={120} height={22} label={`Events per second of late, now ${rate(h.eventsPerSecond)}`} />
        </Tile>
        <Tile title="Dropped" value={count(line.dropped)} tone={line.dropped > 0 ? 'bad' : undefined}>
          without their sender knowing
        </Tile>
        {h.positions && (
          <>
            <Tile title="Queue lag" value={count(h.queueLag)} tone={h.queueLag > 10_000n ? 'warn' : undefined}>
              records received, not processed
            </Tile>
            <Tile title="Memory" value={h.memoryBytes ? bytes(Number(h.memoryBytes)) : '–'}>
              resident
            </Tile>
            <Tile title="Log store" value={bytes(Number(h.storeBytes))} tone={disk.soon ? 'bad' : undefined}>
              {h.diskFreeBytes > 0n && `${bytes(Number(h.diskFreeBytes))} free · `}
              {disk.text}
            </Tile>
            <Tile title="Store queries" value={count(h.storeQueries)}>
              since the start; dashboards and live views send none
            </Tile>
          </>
        )}
      </div>
      <Stages health={h} />
      {h.positions ? (
        <div className={css.pair}>
          <Drops health={h} />
          <PositionsPanel health={h} />
        </div>
      ) : (
        <p className="dim">Queue, disk, memory and drops of the whole host are shown to admins.</p>
      )}
      <p className="dim">
        {plural(h.sources.length, 'source')} {h.sources.length === 1 ? 'has' : 'have'} sent since the start. <Link to="/sources">Look at the sources</Link>
      </p>
    </div>
  );
}

function Tile({ title, value, tone, children }: { title: string; value: string; tone?: 'bad' | 'warn' | undefined; children: ReactNode }) {
  return (
    <section className={css.tile} data-tone={tone}>
      <h2>{title}</h2>
      <strong>{value}</strong>
      <div>{children}</div>
    </section>
  );
}

const titles: Record<string, string> = {
  receive: 'taking records from the network', queue: 'writing them to the durable log', parse: 'parsers in the sandbox', detect: 'matching rules', store: 'writing to the log store',
  correlate: 'counting and joining over time', incident: 'changing incidents', other: 'what no stage counts: queries, the console, clean-up',
}; // prettier-ignore

function Stages({ health: h }: { health: GetHealthResponse }) {
  const list = parts(h.stages);
  const events = h.stages.reduce((most, s) => (s.events > most ? s.events : most), 0n);
  return (
    <Panel title="What one event costs" actions={events > 0n && <span className="dim number">processor time over {plural(Number(events), 'event')}</span>}>
      {list.length === 0 ? (
        <EmptyState title="Not measured yet">It needs 1,000 events.</EmptyState>
      ) : (
        <>
          <div className={css.bar} aria-hidden="true">
            {list.map((p, i) => (
              <i key={p.name} style={{ flexGrow: p.share, '--hue': hue(p.name, i) } as object} title={p.name} />
            ))}
          </div>
          <table className={css.table}>
            <thead>
              <tr>
                <th scope="col">Stage</th>
                <th scope="col">What it does</th>
                <th scope="col" data-end="">µs per event</th>
                <th scope="col" data-end="">Share</th>
              </tr>
            </thead>
            <tbody>
              {list.map((p, i) => (
                <tr key={p.name} data-slowest={p.name === h.slowestStage || undefined}>
                  <td>
                    <i style={{ '--hue': hue(p.name, i) } as object} aria-hidden="true" />
                    {visible(p.name)}
                    {p.name === h.slowestStage && <span className={css.slowest}>slowest</span>}
                  </td>
                  <td className="dim">{titles[p.name] ?? ''}</td>
                  <td data-end="">{p.microseconds < 10 ? p.microseconds.toFixed(1) : count(Math.round(p.microseconds))}</td>
                  <td data-end="">{(p.share * 100).toFixed(p.share < 0.1 ? 1 : 0)} %</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </Panel>
  ); // prettier-ignore
}

const hue = (name: string, i: number): string => (name === 'other' ? 'var(--line-strong)' : `var(--org-${i % 8})`);

function Drops({ health: h }: { health: GetHealthResponse }) {
  return (
    <Panel title="Refused, cut or lost">
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">Reason</th>
            <th scope="col" data-end="">
              Since the start
            </th>
          </tr>
        </thead>
        <tbody>
          {drops(h.drops).map((d) => (
            <tr key={d.reason}>
              <td title={d.reason}>{visible(d.words)}</td>
              <td data-end="" data-some={d.count > 0n || undefined}>
                {count(d.count)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function PositionsPanel({ health: h }: { health: GetHealthResponse }) {
  return (
    <Panel title="Positions in the log">
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">Part</th>
            <th scope="col" data-end="">
              Position
            </th>
            <th scope="col" data-end="">
              Behind
            </th>
          </tr>
        </thead>
        <tbody>
          {places(h.positions!).map((p) => (
            <tr key={p.name}>
              <td>
                {p.name} <span className="dim">{p.title}</span>
              </td>
              <td data-end="">{count(p.at)}</td>
              <td data-end="">{count(p.behind)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
