// What one poll of the live device has found.

import { IconCheck, IconX } from '@tabler/icons-react';
import { useMemo } from 'react';
import type { Trial } from '../gen/vedette/v1/monitor_pb';
import { bytes, count, plural } from '../ui/age';
import { RawText } from '../ui/RawText';
import { visible } from '../ui/text';
import { HostKeys } from './HostKeys';
import css from './monitors.module.css';
import { textOfRecord } from './records';

interface Props {
  trial: Trial;
  tenant: number;
  device: string;
  // Tries again, once a key is approved.
  again: () => void;
}

const shown = 20; // records

export function TrialResult({ trial: t, tenant, device, again }: Props) {
  const records = useMemo(() => t.records.slice(0, shown).map((r) => textOfRecord(r)), [t]);
  const took = `${count(Number(t.tookMs))} ms`;
  return (
    <div className={css.trial} data-ok={t.ok} role="status">
      <strong>
        {t.ok ? <IconCheck size={16} aria-hidden="true" /> : <IconX size={16} aria-hidden="true" />}
        {t.ok ? `It answers: ${plural(t.totalRecords, 'event')} in ${took}` : `It failed after ${took}`}
      </strong>
      {!t.ok && (
        <>
          <p>
            <code>{visible(t.code)}</code>
          </p>
          <RawText text={t.error} lines limit={2_000} />
        </>
      )}
      {t.hostKeys.length > 0 && <HostKeys keys={t.hostKeys} tenant={tenant} device={device} approved={again} />}
      {records.length > 0 && (
        <ol aria-label="Events of the trial">
          {records.map((r, i) => (
            <li key={i}>
              {r.message && <p>{visible(r.message)}</p>}
              <details open={records.length === 1 && !r.message}>
                <summary>{r.fields.length > 0 ? plural(r.fields.length, 'field') : 'Record'}</summary>
                {r.fields.length > 0 ? (
                  <dl>
                    {r.fields.map(([name, value]) => (
                      <div key={name}>
                        <dt className="mono">{visible(name)}</dt>
                        <dd>{visible(value.slice(0, 600))}</dd>
                      </div>
                    ))}
                  </dl>
                ) : (
                  <RawText text={r.text} lines limit={4_000} />
                )}
              </details>
            </li>
          ))}
        </ol>
      )}
      {t.totalRecords > records.length && <p className="dim">and {plural(t.totalRecords - records.length, 'more event')}.</p>}
      {t.configs.length > 0 && (
        <p>
          It would keep {t.configs.map((c) => `${visible(c.name)} (${bytes(c.bytes)}, ${count(c.added)} lines added and ${count(c.removed)} removed against what is kept)`).join(', ')}.
        </p>
      )}
    </div>
  );
}
