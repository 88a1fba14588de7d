// What a module costs over time: fuel and memory, minute by minute.

import { useQuery } from '@connectrpc/connect-query';
import { lazy, Suspense, useMemo } from 'react';
import { useSession } from '../app/session';
import { ModuleService } from '../gen/vedette/v1/module_pb';
import { bytes, plural } from '../ui/age';
import { ErrorBox } from '../ui/States';
import { historyOf } from './history';
import css from './modules.module.css';
import { Part } from './Part';
import type { Row } from './rows';
import { amount } from './words';

const TimeChart = lazy(() => import('../chart/TimeChart'));
const span = 60; // minutes
const refresh = 10_000; // ms

export function Usage({ row }: { row: Row }) {
  const { module: m } = row;
  const { can } = useSession();
  const mine = m.tenant !== 0 || can('global.change');
  const { data, error, dataUpdatedAt, refetch } = useQuery(ModuleService.method.moduleHistory, { name: m.name, tenant: m.tenant }, { enabled: mine, refetchInterval: refresh, retry: false });
  const h = useMemo(() => historyOf(data?.minutes ?? [], dataUpdatedAt || 0, span), [data, dataUpdatedAt]);
  if (m.imports.length === 0 && !data?.minutes.length) return null; // it holds no code of its own
  const fuel = h.fuel.reduce((sum, n) => sum + n, 0);
  const errors = h.errors.reduce((sum, n) => sum + n, 0);
  const most = h.memory.reduce<number>((max, n) => Math.max(max, n ?? 0), 0) * 2 ** 20;
  return (
    <Part title="Last hour">
      {!mine && <p className="dim">Admins see it: a shared module is used by all organizations.</p>}
      {error && <ErrorBox error={error} doing="Load what it costs" retry={() => void refetch()} />}
      {data && fuel === 0 && <p className="dim">It has done nothing in the last hour.</p>}
      {data && fuel > 0 && (
        <Suspense fallback={<p className="dim">The charts are loading…</p>}>
          <div className={css.usage}>
            <figure>
              <figcaption>
                Fuel a minute <span className="number">{amount(fuel)} in all{errors > 0 && <b>, {plural(errors, 'error')}</b>}</span>
              </figcaption>
              <div>
                <TimeChart times={h.times} step={60} kind="bars" unit="fuel" format={amount} series={[{ name: 'fuel', values: h.fuel, color: '--accent' }]} label={`Fuel per minute over the last hour, ${amount(fuel)} in all`} />
              </div>
            </figure>
            <figure>
              <figcaption>
                Memory, MiB <span className="number">{bytes(Number(data.memoryBytes))} now, at most {bytes(most)}</span>
              </figcaption>
              <div>
                <TimeChart times={h.times} kind="lines" unit="MiB" format={(n) => n.toFixed(1)} series={[{ name: 'memory', values: h.memory, color: '--accent' }]} label={`Memory over the last hour, now ${bytes(Number(data.memoryBytes))}, at most ${bytes(most)}`} />
              </div>
            </figure>
          </div>
        </Suspense>
      )}
    </Part>
  ); // prettier-ignore
}
