// What a module is and what it did.

import { Link } from '@tanstack/react-router';
import { installing, useUpdates } from '../catalogue';
import { count, plural } from '../ui/age';
import { OrganizationName } from '../ui/Badge';
import { CopyButton } from '../ui/Copy';
import { visible } from '../ui/text';
import { Trust } from './columns';
import css from './modules.module.css';
import type { Row } from './rows';
import { amount, capabilityWords } from './words';

export function Facts({ row }: { row: Row }) {
  const { module: m } = row;
  const use = m.use;
  const update = useUpdates()(m);
  return (
    <dl className={css.facts}>
      <dt>For</dt>
      <dd>{m.tenant ? <OrganizationName id={m.tenant} /> : 'all organizations'}</dd>
      <dt>Publisher</dt>
      <dd>
        {visible(m.publisher)} <Trust publisher={m.publisher} />
      </dd>
      {update && (
        <>
          <dt>Newer</dt>
          <dd>
            <span className="number">
              {visible(m.version)} → {visible(update.version)}
            </span>
            {update.channel && <span className="dim">in the channel {visible(update.channel)}</span>}
            <Link {...installing(update.reference, update.tenant)}>See what it would change</Link>
          </dd>
        </>
      )}
      <dt>Digest</dt>
      <dd>
        <span className="mono cut" title={m.digest}>{m.digest}</span>
        <CopyButton text={m.digest} what="the digest" />
      </dd>
      <dt>May</dt>
      <dd>{capabilityWords(m.capabilities) || 'read what it is given, nothing else'}</dd>
      <dt>Imports</dt>
      <dd className="mono">{m.imports.join(', ') || <span className="dim">none: it holds no code of its own</span>}</dd>
      {use && (m.imports.length > 0 || use.calls > 0n) && (
        <>
          <dt>Did</dt>
          <dd className="number">
            {plural(row.records, 'record')} → {plural(Number(use.events), 'event')} in {plural(Number(use.calls), 'call')}
          </dd>
          <dt>Fuel</dt>
          <dd className="number">
            {amount(Number(use.fuel))}
            {row.records > 0 && `, ${amount(row.fuelPerRecord)} a record`}
          </dd>
          <dt>Errors</dt>
          <dd className="number">{count(row.errors)}</dd>
          <dt>Instances</dt>
          <dd className="number">{m.instances}</dd>
        </>
      )}
    </dl>
  ); // prettier-ignore
}
