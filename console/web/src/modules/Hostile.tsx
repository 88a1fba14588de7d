// Modules made to do harm, loaded into the demo to see what becomes of them.

import { useQuery } from '@connectrpc/connect-query';
import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { demo } from '../api/clients';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import { DemoService, type HostileModule, type LoadHostileResponse } from '../gen/vedette/v1/demo_pb';
import { useLine } from '../live/live';
import { useNow } from '../ui/Age';
import { count, rate } from '../ui/age';
import { Page, Panel, useTitle } from '../ui/Layout';
import { failed } from '../ui/notice';
import { Sparkline } from '../ui/Sparkline';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import css from './modules.module.css';
import { amount, codeWords, headOf, shortTime } from './words';

const kept = 90; // seconds of the line

interface End {
  readonly number: number;
  readonly title: string;
  readonly how: LoadHostileResponse;
}

export default function Hostile() {
  useTitle('Hostile modules');
  const { data, error, isPending, refetch } = useQuery(DemoService.method.getDemo, {}, { retry: false });
  const { whyNot } = useSession();
  const { selected, name } = useOrganization();
  const [busy, setBusy] = useState('');
  const [ends, setEnds] = useState<readonly End[]>([]);
  const why = whyNot('tenants.change');
  const demos = data?.tenants ?? [];
  const tenant = selected && demos.includes(selected.id) ? selected.id : demos[0];
  const run = async (m: HostileModule) => {
    if (tenant === undefined) return;
    setBusy(m.name);
    try {
      const how = await demo.loadHostile({ name: m.name, tenant });
      setEnds((old) => [{ number: old.length, title: m.title, how }, ...old]);
    } catch (e) {
      failed(`Run “${m.title}”`, e);
    }
    setBusy('');
  };
  if (error) return <Page title="Hostile modules"><ErrorBox error={error} doing="Find the demo" retry={() => void refetch()} /></Page>; // prettier-ignore
  if (isPending) return <Page title="Hostile modules">{null}</Page>;
  if (!data.present || tenant === undefined) {
    return (
      <Page title="Hostile modules">
        <EmptyState title="There is no demo here">Hostile modules are only loaded into demo organizations. Start the host with --demo to try them.</EmptyState>
      </Page>
    );
  }
  return (
    <Page title="Hostile modules">
      <div className={css.hostile}>
        <p>
          Each of these parsers is installed for {name(tenant)} like any other, gets a record, and goes wild. It runs in the sandbox with a budget of fuel that
          the host counts itself: when it is spent the call ends, the record goes to quarantine, and everything else goes on.
        </p>
        <ul className={css.beasts}>
          {data.hostile.map((m) => (
            <li key={m.name}>
              <h2>{m.title}</h2>
              <p>{m.description}</p>
              <Button variant="default" loading={busy === m.name} disabled={why !== '' || (busy !== '' && busy !== m.name)} title={why} aria-label={`Run it: ${m.title}`} onClick={() => void run(m)}>
                Run it
              </Button>
            </li>
          ))}
        </ul>
        <div className={css.flow}>
          <Panel title="Meanwhile">
            <Flow />
          </Panel>
          <ol className={css.ends} aria-live="polite" aria-label="How they ended">
            {ends.map((e) => (
              <li key={e.number}>
                <strong className="number">
                  {visible(e.title)}: {ending(e.how)}
                </strong>
                <p>
                  {e.how.fuel > 0n && `${amount(Number(e.how.fuel))} fuel spent. `}
                  {visible(headOf(e.how.detail))}.{' '}
                  {e.how.quarantined > 0n && (
                    <Link to="/modules/quarantine" search={{ at: String(e.how.quarantined) } as never}>
                      Its record is in quarantine
                    </Link>
                  )}
                </p>
              </li>
            ))}
          </ol>
        </div>
      </div>
    </Page>
  );
}

const ending = (h: LoadHostileResponse): string =>
  h.quarantined > 0n || h.fuel > 0n ? `stopped in ${shortTime(h.milliseconds)}: ${codeWords(h.code)}` : `refused before it ran: ${codeWords(h.code)}`;

// Flow is the rate of events, second by second.
function Flow() {
  const line = useLine();
  const now = useNow();
  const values = useRef<number[]>([]);
  const latest = useRef(line.eventsPerSecond);
  latest.current = line.eventsPerSecond;
  const [shown, setShown] = useState<readonly number[]>([]);
  useEffect(() => {
    if (line.status !== 'live' || (values.current.length === 0 && latest.current === 0)) return; // not known yet
    values.current = [...values.current.slice(-(kept - 1)), latest.current];
    setShown(values.current);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once a second
  }, [now]);
  return (
    <div className={css.line}>
      <div>
        <strong>{rate(line.eventsPerSecond)}</strong>
        <span className="dim">events/s · {count(line.dropped)} dropped</span>
      </div>
      <div>
        <Sparkline values={shown} width={330} height={64} label={`Events per second over the last ${kept} seconds, now ${rate(line.eventsPerSecond)}`} />
      </div>
    </div>
  );
}
