import { SegmentedControl } from '@mantine/core';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { events } from '../api/clients';
import { useSession } from '../app/session';
import type { Event } from '../gen/vedette/v1/event_pb';
import { clock, count, plural } from '../ui/age';
import { Sparkline } from '../ui/Sparkline';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Bucket, bucketsOf, percent, queryOf, shareOf, type Span, spans } from './history';
import css from './monitors.module.css';
import { Part } from './Part';
import type { Row } from './rows';

const refresh = 15_000; // ms

export function History({ row, mates }: { row: Row; mates: readonly Row[] }) {
  const { whyNot } = useSession();
  const [chosen, choose] = useState<string>('1h');
  const of = spans.find((s) => s.value === chosen) ?? spans[0];
  const why = whyNot('events.read');
  const w = row.entry.watch!;
  const { data, error, refetch } = useQuery({
    queryKey: ['watch history', row.key, w.module, row.devices[0], of.value],
    queryFn: ({ signal }) => ask(row, of, signal),
    refetchInterval: refresh,
    enabled: why === '',
    placeholderData: (before) => before,
  });
  return (
    <Part
      title={
        <span className={css.over}>
          Over time
          <SegmentedControl size="xs" aria-label="How far back" value={of.value} onChange={choose} data={spans.map(({ value, label }) => ({ value, label }))} />
        </span>
      }
    >
      {why && <p className="dim">{why}</p>}
      {error && <ErrorBox error={error} doing="Load what came of it" retry={() => void refetch()} />}
      {data && <Picture buckets={data} of={of} />}
      {mates.length > 0 && <p className="dim">Together with {mates.map((m) => visible(m.id)).join(', ')}: their events come from the same monitor and device.</p>}
    </Part>
  );
}

async function ask(row: Row, of: Span, signal: AbortSignal): Promise<Bucket[]> {
  const now = Date.now();
  const lines: Event[] = [];
  const query = { text: queryOf(row.entry.watch!, of.step), from: timestampFromMs(now - of.ms), tenants: [row.tenant], limit: 1_000 };
  for await (const m of events.search({ query }, { signal })) lines.push(...m.events);
  return bucketsOf(lines, now, of);
}

function Picture({ buckets, of }: { buckets: readonly Bucket[]; of: Span }) {
  const share = shareOf(buckets);
  const timed = buckets.filter((b) => b.took !== undefined);
  if (share === undefined) return <p className="dim">No event of it in the last {of.label}.</p>;
  const last = timed.at(-1)?.took ?? 0;
  const worst = Math.max(...timed.map((b) => b.took!));
  return (
    <div className={css.history}>
      <div className={css.strip} role="img" aria-label={`Last ${of.label}: ${percent(share)} of its events tell of success`}>
        {buckets.map((b) => (
          <i key={b.start} data-state={b.bad + b.good === 0 ? 'none' : b.bad === 0 ? 'good' : b.good === 0 ? 'bad' : 'mixed'} title={say(b)} />
        ))}
      </div>
      <p className="number">
        <strong>{percent(share)}</strong> <span className="dim">went well in the last {of.label}</span>
      </p>
      {timed.length > 1 && (
        <p className={css.latency}>
          <Sparkline values={timed.map((b) => b.took!)} width={190} height={30} label={`Time that it took, now ${ms(last)}, at most ${ms(worst)}`} />
          <span className="number">
            {ms(last)} <span className="dim">at most {ms(worst)}</span>
          </span>
        </p>
      )}
    </div>
  );
}

const ms = (n: number): string => `${n < 10 ? n.toFixed(1) : count(Math.round(n))} ms`;
const say = (b: Bucket): string => `${clock(b.start)}: ${b.good + b.bad === 0 ? 'nothing' : `${plural(b.good, 'good event')}, ${plural(b.bad, 'failure')}`}`;
