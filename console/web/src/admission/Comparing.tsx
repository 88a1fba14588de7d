// What a candidate would change: how far to look, how far it has come, and what it found.

import { Button, Loader, SegmentedControl, Select } from '@mantine/core';
import { IconArrowsDiff, IconPlayerStop } from '@tabler/icons-react';
import { useNow } from '../ui/Age';
import { count, plural } from '../ui/age';
import { EmptyState, ErrorBox } from '../ui/States';
import css from './admission.module.css';
import { type Run, shadows, spans } from './backtest';
import { Report } from './Report';
import type { Comparison } from './useBacktest';

export function Comparing({ comparison }: { comparison: Comparison }) {
  const { run, span, setSpan, why, start, stop } = comparison;
  const busy = run.phase === 'stored' || run.phase === 'live';
  return (
    <div className={css.comparing}>
      <div className={css.controls}>
        <SegmentedControl
          aria-label="How far back"
          value={String(span.last)}
          onChange={(v) => setSpan({ ...span, last: Number(v) })}
          disabled={busy}
          data={spans.map((s) => ({ value: String(s.value), label: s.label }))}
        />
        <Select
          aria-label="Beside the stream"
          className={css.shadow}
          value={String(span.shadow)}
          onChange={(v) => v !== null && setSpan({ ...span, shadow: Number(v) })}
          disabled={busy}
          allowDeselect={false}
          data={shadows.map((s) => ({ value: String(s.value), label: s.label }))}
        />
        {busy ? (
          <Button variant="default" leftSection={<IconPlayerStop size={14} aria-hidden="true" />} onClick={stop}>
            Stop
          </Button>
        ) : (
          <Button variant="default" leftSection={<IconArrowsDiff size={14} aria-hidden="true" />} disabled={why !== ''} title={why} onClick={start}>
            {run.phase === 'none' ? 'Compare' : 'Compare again'}
          </Button>
        )}
        {busy ? <Progress run={run} shadow={span.shadow} /> : why && <span className="dim">{why}</span>}
      </div>
      {run.phase === 'failed' && <ErrorBox error={run.error} doing="Compare" retry={start} />}
      {run.phase === 'none' && (
        <EmptyState icon={<IconArrowsDiff size={28} stroke={1.4} aria-hidden="true" />} title="What would it change?">
          What runs now and what would run read and judge the same stored records. What differs is shown: nothing is installed, stored or told to anybody.
        </EmptyState>
      )}
      {busy && (
        <EmptyState title={run.phase === 'live' ? 'It runs beside the stream' : 'It runs over what is stored'}>
          {run.phase === 'live'
            ? 'Records that come now are read and judged by what runs and by what would run. The stream waits for neither; the report follows at the end.'
            : 'The newest records go through what runs and through what would run, from the same beginning.'}
        </EmptyState>
      )}
      {run.phase === 'done' && <Report report={run.report} span={run.span} />}
    </div>
  );
}

function Progress({ run, shadow }: { run: Run; shadow: number }) {
  const now = useNow();
  if (run.phase === 'live') {
    const rest = Math.min(shadow, Math.max(0, Math.ceil(shadow - (now - run.since) / 1_000)));
    return (
      <span className={css.progress}>
        <Loader size={14} aria-label="Comparing" />
        <span className="number">
          Beside the stream: <b>{plural(Math.max(0, run.live), 'live record')}</b>, <b>{count(Math.max(0, run.differ))}</b> differ; {rest} s to go
        </span>
      </span>
    );
  }
  if (run.phase !== 'stored') return null;
  return (
    <span className={css.progress}>
      <Loader size={14} aria-label="Comparing" />
      <span className="number">
        <b>{plural(run.records, 'stored record')}</b> compared, <b>{count(run.changed)}</b> differ
      </span>
    </span>
  );
}
