import { useQuery } from '@connectrpc/connect-query';
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { tenants as calls } from '../api/clients';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import { TenantService, type Webhook } from '../gen/vedette/v1/tenant_pb';
import { Badge, OrganizationName } from '../ui/Badge';
import { failed, notice } from '../ui/notice';
import { visible } from '../ui/text';
import { ChooseOrganization } from './Choose';
import { Add, type Column, List } from './List';

export function Webhooks() {
  const { tenants } = useOrganization();
  const { whyNot } = useSession();
  const { data, error, refetch } = useQuery(TenantService.method.listWebhooks, { tenants });
  const why = whyNot('webhooks.change');
  const end = async (w: Webhook) => {
    try {
      await calls.setWebhook({ tenant: w.tenant, name: w.name, url: '' });
      notice(`“${w.name}” gets no more incidents.`);
    } catch (e) {
      failed(`Remove “${w.name}”`, e);
    }
    await refetch();
  };
  const columns: Column<Webhook>[] = [
    { header: 'Name', cell: (w) => visible(w.name) },
    { header: 'Organization', cell: (w) => <OrganizationName id={w.tenant} /> },
    { header: 'URL', cell: (w) => <span className="mono">{visible(w.url)}</span> },
    { header: 'State', cell: (w) => (w.enabled ? <Badge tone="ok">on</Badge> : <Badge tone="warn">off</Badge>) },
    {
      header: 'Change', end: true,
      cell: (w) => (
        <Button variant="default" size="compact-xs" disabled={why !== ''} title={why} onClick={() => void end(w)}>
          Remove<span className="unseen"> {w.name}</span>
        </Button>
      ),
    },
  ]; // prettier-ignore
  const add = (
    <Add
      label="Add a webhook"
      right="webhooks.change"
      send={async (form) => {
        await calls.setWebhook({ tenant: Number(form('tenant')), name: form('name').trim(), url: form('url').trim(), secret: form('secret') });
        notice('New incidents are sent there from now on.');
        await refetch();
      }}
    >
      <TextInput label="Name" name="name" placeholder="default" data-autofocus />
      <TextInput label="URL" name="url" type="url" placeholder="https://" required withAsterisk={false} />
      <PasswordInput label="Secret" description="Signs each delivery (HMAC-SHA256), so that the receiver knows who sent it" name="secret" autoComplete="off" />
      <ChooseOrganization />
    </Add>
  );
  return (
    <List
      label="Webhooks" rows={data?.webhooks} keyOf={(w) => `${w.tenant} ${w.name}`} columns={columns} error={error} retry={() => void refetch()}
      empty="There is none yet: new incidents are seen in the console only." add={add} about="An organization’s new incidents are sent there, each with a key by which a repeat is known."
    />
  ); // prettier-ignore
}
