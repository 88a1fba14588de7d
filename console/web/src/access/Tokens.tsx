import { useQuery } from '@connectrpc/connect-query';
import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import { tenants as calls } from '../api/clients';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import { type IngestToken, TenantService } from '../gen/vedette/v1/tenant_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { Badge, OrganizationName } from '../ui/Badge';
import { CopyButton } from '../ui/Copy';
import { failed, notice } from '../ui/notice';
import { visible } from '../ui/text';
import css from './access.module.css';
import { ChooseOrganization } from './Choose';
import { Add, type Column, List } from './List';

export function Tokens() {
  const { tenants } = useOrganization();
  const { whyNot } = useSession();
  const { data, error, refetch } = useQuery(TenantService.method.listIngestTokens, { tenants });
  const [made, setMade] = useState('');
  const why = whyNot('tokens.change');
  const revoke = async (t: IngestToken) => {
    try {
      await calls.revokeIngestToken({ tenant: t.tenant, name: t.name });
      notice(`“${t.name}” is revoked: what is sent with it is refused from now on.`);
    } catch (e) {
      failed(`Revoke “${t.name}”`, e);
    }
    await refetch();
  };
  const columns: Column<IngestToken>[] = [
    { header: 'Name', cell: (t) => visible(t.name) },
    { header: 'Organization', cell: (t) => <OrganizationName id={t.tenant} /> },
    { header: 'Created', cell: (t) => <Age at={millis(t.created)} ago /> },
    { header: 'State', cell: (t) => (t.revoked ? <Badge>revoked</Badge> : <Badge tone="ok">in force</Badge>) },
    {
      header: 'Change', end: true,
      cell: (t) =>
        !t.revoked && (
          <Button variant="default" size="compact-xs" disabled={why !== ''} title={why} onClick={() => void revoke(t)}>
            Revoke<span className="unseen"> {t.name}</span>
          </Button>
        ),
    },
  ]; // prettier-ignore
  const add = (
    <Add
      label="Create a token"
      right="tokens.change"
      send={async (form) => {
        setMade((await calls.createIngestToken({ tenant: Number(form('tenant')), name: form('name').trim() })).token);
        await refetch();
      }}
    >
      <TextInput label="Name" description="Who sends with it, so that it is known what a revocation ends" name="name" required withAsterisk={false} data-autofocus />
      <ChooseOrganization />
    </Add>
  );
  return (
    <>
      {made && (
        <p className={css.made} role="status">
          <code>{made}</code>
          <CopyButton text={made} what="the token" label="Copy the token" />
          <span className="dim">Shown this once.</span>
          <Button variant="subtle" onClick={() => setMade('')}>
            I have it
          </Button>
        </p>
      )}
      <List
        label="Ingest tokens" rows={data?.tokens} keyOf={(t) => `${t.tenant} ${t.name} ${millis(t.created)}`} columns={columns} error={error} retry={() => void refetch()}
        empty="There is none yet. Senders over HTTP need one." add={add} about="Senders over HTTP name a token; it fixes whose the records are."
      />
    </>
  ); // prettier-ignore
}
