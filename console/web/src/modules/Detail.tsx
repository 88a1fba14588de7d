// One module beside the list: what it is, what it did, what to do about it.

import { useQuery } from '@connectrpc/connect-query';
import { ActionIcon, Switch, Tooltip } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import { ModuleService } from '../gen/vedette/v1/module_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { count, plural } from '../ui/age';
import { OrganizationName } from '../ui/Badge';
import { CopyButton } from '../ui/Copy';
import { Keys } from '../ui/Keys';
import { RawText } from '../ui/RawText';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { Trust } from './columns';
import css from './modules.module.css';
import type { Row } from './rows';
import { Versions } from './Versions';
import { amount, capabilityWords, codeWords, headOf } from './words';

interface Props {
  row: Row;
  whyNot: string;
  switchTo: (on: boolean) => void;
  changed: () => void;
  close: () => void;
}

export function Detail({ row, whyNot, switchTo, changed, close }: Props) {
  const { module: m } = row;
  return (
    <div className={css.detail}>
      <header>
        <h2 className="cut" title={visible(m.name)}>
          {visible(m.title || m.name)}
        </h2>
        <Tooltip label={<>Close <Keys keys="Escape" /></>}>
          <ActionIcon aria-label="Close the details" onClick={close}>
            <IconX size={16} />
          </ActionIcon>
        </Tooltip>
      </header>
      <p className="mono dim">{visible(m.name)}</p>
      <div className={css.controls}>
        <Switch label={m.enabled ? 'On' : 'Off'} checked={m.enabled} disabled={whyNot !== ''} title={whyNot} onChange={(e) => switchTo(e.currentTarget.checked)} />
        {whyNot && <span className="dim">{whyNot}</span>}
      </div>
      {m.use?.suspended && <p className={css.suspended}>The host switched it off: {visible(m.use.suspended)}</p>}
      <Facts row={row} />
      <Part title="Versions">
        <Versions row={row} whyNot={whyNot} changed={changed} />
      </Part>
      {m.use?.lastError && (
        <Part title="Last error">
          <div className={css.text} tabIndex={0} role="region" aria-label="Last error">
            <RawText text={m.use.lastError} lines limit={4_000} />
          </div>
        </Part>
      )}
      <Log row={row} />
      <Held row={row} />
    </div>
  );
}

const Part = ({ title, children }: { title: ReactNode; children: ReactNode }) => (
  <section>
    <h3>{title}</h3>
    {children}
  </section>
);

function Facts({ row }: { row: Row }) {
  const { module: m } = row;
  const use = m.use;
  return (
    <dl className={css.facts}>
      <dt>For</dt>
      <dd>{m.tenant ? <OrganizationName id={m.tenant} /> : 'all organizations'}</dd>
      <dt>Publisher</dt>
      <dd>
        {visible(m.publisher)} <Trust publisher={m.publisher} />
      </dd>
      <dt>Digest</dt>
      <dd>
        <span className="mono cut" title={m.digest}>{m.digest}</span>
        <CopyButton text={m.digest} what="the digest" />
      </dd>
      <dt>May</dt>
      <dd>{capabilityWords(m.capabilities) || 'read what it is given, nothing else'}</dd>
      <dt>Imports</dt>
      <dd className="mono">{m.imports.join(', ') || <span className="dim">none: it holds no code of its own</span>}</dd>
      {use && (
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
        </>
      )}
      <dt>Instances</dt>
      <dd className="number">{m.instances}</dd>
    </dl>
  ); // prettier-ignore
}

function Log({ row }: { row: Row }) {
  const { module: m } = row;
  const { can } = useSession();
  const mine = m.tenant !== 0 || can('tenants.change');
  const { data, error, refetch } = useQuery(ModuleService.method.moduleLogs, { name: m.name, tenant: m.tenant }, { enabled: mine, refetchInterval: 5_000, retry: false });
  const lines = data?.lines ?? [];
  return (
    <Part title="Log">
      {!mine && <p className="dim">Admins see it: the records of all organizations make a shared module write.</p>}
      {error && <ErrorBox error={error} doing="Load the log" retry={() => void refetch()} />}
      {data && lines.length === 0 && <p className="dim">It has written nothing.</p>}
      {lines.length > 0 && (
        <ol className={css.log} tabIndex={0} aria-label="Log lines, newest first">
          {lines.toReversed().map((l, i) => (
            <li key={lines.length - i} data-level={l.level}>
              <Age at={millis(l.at)} short /> <b>{l.level}</b> {visible(l.text)}
            </li>
          ))}
        </ol>
      )}
    </Part>
  );
}

const shownHeld = 5;

function Held({ row }: { row: Row }) {
  const { tenants } = useOrganization();
  const { can } = useSession();
  const { data } = useQuery(ModuleService.method.listQuarantine, { tenants, limit: 1_000 }, { enabled: can('modules.change'), staleTime: 10_000 });
  const held = data?.records.filter((r) => r.module === row.module.name && (row.module.tenant === 0 || r.tenant === row.module.tenant)) ?? [];
  if (!data || held.length === 0) return null;
  return (
    <Part title={`Quarantine ${count(held.length)}`}>
      <ul className={css.held}>
        {held.slice(0, shownHeld).map((r) => (
          <li key={String(r.number)}>
            <Link to="/modules/quarantine" search={{ at: String(r.number) } as never}>
              {codeWords(r.code)}
            </Link>{' '}
            <span className="dim">
              <Age at={millis(r.at)} ago short /> · {visible(headOf(r.detail))}
            </span>
          </li>
        ))}
      </ul>
      {held.length > shownHeld && (
        <Link to="/modules/quarantine" search={{ module: row.module.name } as never}>
          All {count(held.length)}
        </Link>
      )}
    </Part>
  );
}
