// One quarantined record: its bytes, what went wrong, and whether it still does.

import { ActionIcon, Button, SegmentedControl } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconRefresh, IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { modules } from '../api/clients';
import { useSession } from '../app/session';
import { RawRecord } from '../event';
import type { PreviewResult, QuarantinedRecord } from '../gen/vedette/v1/module_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { bytes, clock, plural } from '../ui/age';
import { OrganizationName } from '../ui/Badge';
import { CopyButton } from '../ui/Copy';
import { RawText } from '../ui/RawText';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { hexLines, hexOf } from './hex';
import css from './modules.module.css';
import { outcomeOf } from './samples';
import { codeWords, shortDigest } from './words';

const longestHex = 16 << 10; // bytes that are shown

export function Held({ record: r, close }: { record: QuarantinedRecord; close: () => void }) {
  const [view, setView] = useLocalStorage({ key: 'vedette.quarantine.view', defaultValue: 'text', getInitialValueInEffect: false });
  const text = new TextDecoder().decode(r.raw);
  return (
    <div className={css.detail}>
      <header>
        <h2>
          {visible(r.module)}: {codeWords(r.code)}
        </h2>
        <ActionIcon aria-label="Close the record" onClick={close}>
          <IconX size={16} />
        </ActionIcon>
      </header>
      <p className="dim">
        <Age at={millis(r.at)} ago /> · {clock(millis(r.at))}
      </p>
      <dl className={css.facts}>
        <dt>For</dt>
        <dd>
          <OrganizationName id={r.tenant} />
        </dd>
        <dt>Code</dt>
        <dd className="mono">{visible(r.code)}</dd>
        <dt>Version</dt>
        <dd>
          <span className="mono" title={r.digest}>{shortDigest(r.digest)}</span>
          <CopyButton text={r.digest} what="the digest of the version that failed" />
        </dd>
        <dt>Position</dt>
        <dd>
          <span className="mono">{visible(r.position)}</span>
          <CopyButton text={r.position} what="the position in the log" />
        </dd>
      </dl>
      <section>
        <div className={css.row}>
          <h3>Record, {bytes(r.raw.length)}</h3>
          <SegmentedControl aria-label="How the record is shown" value={view} onChange={setView} data={[{ value: 'text', label: 'Text' }, { value: 'hex', label: 'Bytes' }]} />
          <CopyButton text={view === 'hex' ? hexOf(r.raw) : text} what={view === 'hex' ? 'the bytes as hexadecimal digits' : 'the record'} />
        </div>
        {view === 'hex' ? <Hex raw={r.raw} /> : <RawRecord raw={r.raw} spans={none} label="Quarantined record" />}
      </section>
      <Retry record={r} text={text} />
      <section>
        <h3>What the sandbox said</h3>
        <div className={css.text} tabIndex={0} role="region" aria-label="What the sandbox said">
          <RawText text={r.detail} lines limit={4_000} />
        </div>
      </section>
    </div>
  ); // prettier-ignore
}

const none: readonly never[] = [];

function Hex({ raw }: { raw: Uint8Array }) {
  return (
    <pre className={css.hex} tabIndex={0} aria-label="Bytes in hexadecimal digits">
      {hexLines(raw, longestHex).map((l) => (
        <div key={l.offset}>
          <span>{l.offset}</span>
          {'  '}
          {l.hex}
          {'  '}
          <b>{l.text}</b>
        </div>
      ))}
      {raw.length > longestHex && <span>… {bytes(raw.length - longestHex)} more</span>}
    </pre>
  );
}

// Retry runs the record through what is installed now; nothing of it is stored.
function Retry({ record: r, text }: { record: QuarantinedRecord; text: string }) {
  const { whyNot } = useSession();
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<PreviewResult>();
  const [error, setError] = useState<unknown>();
  const why = whyNot('modules.read');
  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const { results } = await modules.previewModule({ tenant: r.tenant, candidate: { case: 'name', value: r.module }, samples: [r.raw] });
      setResult(results[0]);
    } catch (e) {
      setError(e);
    }
    setBusy(false);
  };
  const outcome = result && outcomeOf(result);
  const [event] = result?.events ?? [];
  return (
    <section className={css.stack}>
      <div className={css.row}>
        <Button variant="default" leftSection={<IconRefresh size={14} aria-hidden="true" />} loading={busy} disabled={why !== ''} title={why} onClick={() => void run()}>
          Try again with the current version
        </Button>
        <Button variant="subtle" renderRoot={(props) => <Link {...props} to="/modules/new" search={{ sample: text.slice(0, 4_000) } as never} />}>
          Write a parser for it
        </Button>
      </div>
      {error !== undefined && <ErrorBox error={error} doing={`Try ${r.module} again`} />}
      {result && (
        <div className={css.retry} data-outcome={outcome} role="status">
          {outcome === 'read' && (
            <>
              <strong>
                {visible(result.parser || r.module)} reads it: {plural(result.events.length, 'event')}
              </strong>
              <RawRecord raw={result.raw} spans={event?.spans ?? none} label="Record as it is read now" />
              <span className="dim">Nothing was stored. The record stays here.</span>
            </>
          )}
          {outcome === 'unread' && <strong>The current version says that the record is not its own.</strong>}
          {outcome === 'failed' && (
            <>
              <strong>It still fails.</strong>
              <RawText text={result.error} lines limit={2_000} />
            </>
          )}
        </div>
      )}
    </section>
  );
}
