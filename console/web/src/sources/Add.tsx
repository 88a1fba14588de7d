// Adding a source: where to send, with which token, by which command, and whether it arrives.

import { useQuery } from '@connectrpc/connect-query';
import { Button, Select, Tabs } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { useState } from 'react';
import { tenants as calls } from '../api/clients';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { useSession } from '../app/session';
import { SourceService } from '../gen/vedette/v1/source_pb';
import { CopyButton } from '../ui/Copy';
import { Page, Spring, useTitle } from '../ui/Layout';
import { failed } from '../ui/notice';
import { EmptyState, ErrorBox } from '../ui/States';
import { commandOf, localOnly, type Place, protocolName, senders, tokenGap } from './commands';
import css from './sources.module.css';
import { Watching } from './Watching';

const defaults = { with: 'logger' };

export default function Add() {
  useTitle('Add a source');
  const { all, selected } = useOrganization();
  const [chosen, setChosen] = useState<number>();
  const tenant = chosen ?? selected?.id ?? all[0]?.id ?? 0;
  const ingest = useQuery(SourceService.method.getIngest, { tenant }, { enabled: tenant !== 0, staleTime: 60_000 });
  const [tokens, setTokens] = useState<ReadonlyMap<number, string>>(new Map());
  const place: Place = {
    listeners: ingest.data?.listeners ?? [], pageHost: location.hostname, secure: location.protocol === 'https:', token: tokens.get(tenant) ?? '',
  }; // prettier-ignore
  return (
    <Page
      title="Add a source"
      actions={
        <>
          <Spring />
          {all.length > 1 && (
            <Select
              aria-label="Organization that the records belong to"
              data={all.map((t) => ({ value: String(t.id), label: t.name || t.slug }))}
              value={String(tenant)}
              onChange={(v) => v && setChosen(Number(v))}
              allowDeselect={false}
            />
          )}
        </>
      }
    >
      <div className={css.add}>
        {ingest.error && <ErrorBox error={ingest.error} doing="Find where records are taken" retry={() => void ingest.refetch()} />}
        <section aria-label="Where to send">
          <h2>
            <i>1</i> Where to send
          </h2>
          <ul className={css.addresses}>
            {place.listeners.map((l) => (
              <li key={`${l.protocol} ${l.address}`}>
                <span>{protocolName(l.protocol)}</span>
                <code>{l.address}</code>
                <CopyButton text={l.address} what={`the address of ${protocolName(l.protocol)}`} />
              </li>
            ))}
          </ul>
          <Token tenant={tenant} token={place.token} made={(t) => setTokens((old) => new Map(old).set(tenant, t))} />
        </section>
        <section aria-label="What to run there">
          <h2>
            <i>2</i> On the sending machine
          </h2>
          <Commands place={place} />
        </section>
        <section aria-label="Does it arrive">
          <h2>
            <i>3</i> Does it arrive?
          </h2>
          {tenant === 0 ? <EmptyState title="There is no organization yet">An admin creates one on the access page.</EmptyState> : <Watching tenant={tenant} />}
        </section>
      </div>
    </Page>
  );
}

function Token({ tenant, token, made }: { tenant: number; token: string; made: (token: string) => void }) {
  const { whyNot } = useSession();
  const [busy, setBusy] = useState(false);
  const why = whyNot('tokens.change');
  const create = async () => {
    setBusy(true);
    try {
      // Names are unique among an organization's tokens; the moment makes this one so.
      const name = `console ${new Date().toISOString().slice(0, 19).replace('T', ' ')}`;
      made((await calls.createIngestToken({ tenant, name })).token);
    } catch (e) {
      failed('Create a token', e);
    }
    setBusy(false);
  };
  if (token) {
    return (
      <div className={css.token} role="status">
        <code>{token}</code>
        <CopyButton text={token} what="the token" label="Copy the token" />
        <span className="dim">Shown this once. It is in the commands below.</span>
      </div>
    );
  }
  return (
    <div className={css.token}>
      <Button variant="default" leftSection={<IconKey size={14} aria-hidden="true" />} loading={busy} disabled={why !== ''} title={why} onClick={() => void create()}>
        Create a token
      </Button>
      <span className="dim">HTTP needs one. Syslog does not: its listener belongs to one organization.{why && ` ${why}`}</span>
    </div>
  );
}

function Commands({ place }: { place: Place }) {
  const [params, set] = useParams(defaults);
  const sender = senders.find((s) => s.id === params.with) ?? senders[0]!;
  const command = commandOf(sender, place);
  return (
    <Tabs value={sender.id} onChange={(v) => v && set({ with: v })} keepMounted={false}>
      <Tabs.List>
        {senders.map((s) => (
          <Tabs.Tab key={s.id} value={s.id}>
            {s.title}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value={sender.id}>
        {command ? (
          <div className={css.command}>
            <header>
              <span className="dim">{command.where}</span>
              <Spring />
              <CopyButton text={command.text} what="the command" label="Copy" />
            </header>
            <pre tabIndex={0} aria-label={`Command for ${sender.title}`}>
              {command.text}
            </pre>
            <footer>
              {sender.needsToken && !place.token && <p className={css.warn}>Create a token first: it takes the place of {tokenGap}.</p>}
              {localOnly(command.to) && <p className={css.warn}>Only this machine reaches {command.to.host}. For other senders change the address in vedette.yaml.</p>}
              {command.note && <p className="dim">{command.note}</p>}
            </footer>
          </div>
        ) : (
          <p className={css.nothing}>
            This organization has no listener for {sender.title}. Add one of {sender.protocols.map(protocolName).join(' or ')} under “syslog” in vedette.yaml.
          </p>
        )}
      </Tabs.Panel>
    </Tabs>
  );
}
