// The last step of a new source: did it arrive?

import { useQuery } from '@connectrpc/connect-query';
import { Button } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { demo } from '../api/clients';
import { useSession } from '../app/session';
import { EventFlyout } from '../event';
import { DemoService } from '../gen/vedette/v1/demo_pb';
import type { WatchSourceResponse } from '../gen/vedette/v1/source_pb';
import { useNow } from '../ui/Age';
import { age, count, plural } from '../ui/age';
import { failed } from '../ui/notice';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import css from './sources.module.css';
import { useWatch } from './useWatch';

export function Watching({ tenant }: { tenant: number }) {
  const { news, error, since, again } = useWatch(tenant);
  const now = useNow();
  const state = news?.state ?? 'waiting';
  return (
    <section className={css.watch} data-state={state} aria-label="What arrives">
      <div className={css.signal} aria-hidden="true">
        {state === 'arrived' ? <IconCheck size={22} stroke={2.2} /> : state === 'refused' ? <IconX size={22} stroke={2.2} /> : <i />}
      </div>
      <div>
        <p className={css.news} role="status">
          {sentence(news?.text ?? 'waiting for the first record')}
        </p>
        <p className="dim number">
          {state === 'arrived' ? `${plural(Number(news!.records), 'record')}${news!.unparsed > 0n ? `, ${count(news!.unparsed)} unparsed` : ''}` : `Watching for ${age(since, Math.max(now, since + 1000))}`}
        </p>
        {news && news.hints.length > 0 && (
          <ul>
            {news.hints.map((h) => (
              <li key={h}>{visible(h)}</li>
            ))}
          </ul>
        )}
        {error !== undefined && <ErrorBox error={error} doing="Watch what arrives" />}
        <DemoNote tenant={tenant} again={again} />
        <Next news={news} again={again} />
      </div>
    </section>
  );
}

function Next({ news, again }: { news: WatchSourceResponse | undefined; again: () => void }) {
  const [shown, setShown] = useState(false);
  if (!news || news.state === 'waiting') return null;
  return (
    <div className={css.next}>
      {news.eventId && (
        <Button variant="default" onClick={() => setShown(true)}>
          Show the event
        </Button>
      )}
      {news.state === 'arrived' && news.eventId && (!news.parser || news.hints.length > 0) && (
        <Button
          variant={news.parser ? 'default' : 'filled'}
          renderRoot={(props) => <Link {...props} to="/modules/new" search={{ from: 'unparsed', source: `${news.listener} ${news.peer}` } as never} />}
        >
          Create a parser for it
        </Button>
      )}
      <Button variant="subtle" onClick={again}>
        Watch anew
      </Button>
      {shown && <EventFlyout eventId={news.eventId} onClose={() => setShown(false)} />}
    </div>
  );
}

// DemoNote: the demo's own records arrive all the time and hide what somebody is waiting for.
function DemoNote({ tenant, again }: { tenant: number; again: () => void }) {
  const { data, refetch } = useQuery(DemoService.method.getDemo, {}, { retry: false });
  const { whyNot } = useSession();
  if (!data?.present || !data.running || !data.tenants.includes(tenant)) return null;
  const pause = async () => {
    try {
      await demo.setDemoFeed({ running: false });
      await refetch();
      again();
    } catch (e) {
      failed('Pause the demo feed', e);
    }
  };
  return (
    <p className={css.demo}>
      The demo feed sends for this organization too.{' '}
      <Button variant="default" size="compact-xs" disabled={whyNot('demo.change') !== ''} title={whyNot('demo.change')} onClick={() => void pause()}>
        Pause it and watch anew
      </Button>
    </p>
  );
}

const sentence = (text: string): string => {
  const t = visible(text);
  return t.charAt(0).toUpperCase() + t.slice(1);
};
