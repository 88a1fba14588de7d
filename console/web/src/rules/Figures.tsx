// What came of a rule: how often it fires, what people said of its incidents, what it costs.

import { lazy, type ReactNode, Suspense, useMemo } from 'react';
import { Link } from '@tanstack/react-router';
import { millis } from '../live/row';
import { Age, useNow } from '../ui/Age';
import { count, plural } from '../ui/age';
import type { ViewProps } from './Detail';
import { hoursOf } from './figures';
import { incidentsOf } from './links';
import css from './rules.module.css';
import { nanoseconds, percent } from './words';

const TimeChart = lazy(() => import('../chart/TimeChart'));
const hour = 3_600; // s

export function Figures({ data, row }: ViewProps) {
  const { rule } = row;
  const { use } = rule;
  const week = Number(use?.firesWeek ?? 0n);
  return (
    <div className={css.stack}>
      <div className={css.tiles}>
        <Tile title="Fires in 24 h" value={count(row.day)}>{plural(week, 'time')} in a week</Tile>
        <Tile title="False positives" value={percent(row.falseShare)}>of {plural(row.judged, 'judged incident')} in 30 days</Tile>
        <Tile title="Last fired" value={row.lastFired ? <Age at={row.lastFired} /> : 'never'}>{row.lastFired ? 'ago, by the events’ time' : 'as far as is remembered'}</Tile>
      </div>
      <Fires data={data} week={week} />
      <Verdicts row={row} />
      <Cost data={data} row={row} />
    </div>
  ); // prettier-ignore
}

function Tile({ title, value, children }: { title: string; value: ReactNode; children: ReactNode }) {
  return (
    <section className={css.tile}>
      <h3>{title}</h3>
      <strong className="number">{value}</strong>
      <p>{children}</p>
    </section>
  );
}

function Fires({ data, week }: { data: ViewProps['data']; week: number }) {
  const now = useNow();
  const at = Math.floor(now / 1_000 / hour) * hour;
  const { times, values } = useMemo(() => hoursOf(data.hours.map((h) => ({ at: millis(h.at) / 1_000, fires: Number(h.fires) })), at), [data.hours, at]);
  const series = useMemo(() => [{ name: 'Fires', values, color: '--accent' }], [values]);
  return (
    <figure className={css.chart}>
      <figcaption>Fires by hour, the last week</figcaption>
      <div>
        <Suspense>
          <TimeChart times={times} step={hour} kind="bars" series={series} label={`Fires by hour over the last week: ${plural(week, 'time')}, at most ${count(Math.max(0, ...values))} in an hour`} />
        </Suspense>
      </div>
    </figure>
  );
}

function Verdicts({ row: { rule } }: Pick<ViewProps, 'row'>) {
  const { use } = rule;
  const parts = [
    { name: 'true positive', value: Number(use?.truePositives ?? 0n), tone: 'right' },
    { name: 'benign', value: Number(use?.benign ?? 0n), tone: 'benign' },
    { name: 'false positive', value: Number(use?.falsePositives ?? 0n), tone: 'wrong' },
    { name: 'duplicate', value: Number(use?.duplicates ?? 0n), tone: 'other' },
    { name: 'not judged yet', value: Number(use?.unresolved ?? 0n), tone: 'open' },
  ];
  const sum = parts.reduce((n, p) => n + p.value, 0);
  return (
    <section className={css.part}>
      <div>
        <h3>Incidents of the last 30 days</h3>
        <Link {...incidentsOf(rule.id)}>{plural(sum, 'incident')}</Link>
      </div>
      {sum > 0 && (
        <>
          <div className={css.share} aria-hidden="true">
            {parts.filter((p) => p.value > 0).map((p) => <i key={p.name} data-tone={p.tone} style={{ flexGrow: p.value }} />)}
          </div>
          <ul className={css.shares}>
            {parts.map((p) => (
              <li key={p.name} data-tone={p.tone}>
                <i aria-hidden="true" /> <b className="number">{count(p.value)}</b> {p.name}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  ); // prettier-ignore
}

function Cost({ data, row: { rule } }: Pick<ViewProps, 'data' | 'row'>) {
  const { cost } = data;
  const fuel = Number(rule.use?.fuel ?? 0n);
  return (
    <section className={css.part}>
      <div>
        <h3>What it costs</h3>
      </div>
      {cost ? (
        <dl className={css.facts}>
          <dt>Matching</dt>
          <dd className="number">
            {nanoseconds(cost.nsPerEvent)} an event alone; all rules together take {nanoseconds(cost.allNsPerEvent)}
          </dd>
          <dt>Measured on</dt>
          <dd className="number">
            the newest {plural(cost.events, 'event')}, of which {count(cost.matched)} {cost.matched === 1n ? 'takes' : 'take'} part
          </dd>
        </dl>
      ) : (
        <p className="dim">There is no event to measure it on.</p>
      )}
      {fuel > 0 && <p className="dim number">Its code used {count(fuel)} units of fuel in {plural(Number(rule.use?.calls ?? 0n), 'call')} since the host started.</p>}
    </section>
  ); // prettier-ignore
}
