import { TextInput } from '@mantine/core';
import { tenants } from '../api/clients';
import { queryClient } from '../api/query';
import { useOrganization } from '../app/organization';
import type { Tenant } from '../gen/vedette/v1/tenant_pb';
import { OrganizationName } from '../ui/Badge';
import { notice } from '../ui/notice';
import { visible } from '../ui/text';
import { Add, type Column, List } from './List';

const columns: Column<Tenant>[] = [
  { header: 'Name', cell: (t) => <OrganizationName id={t.id} /> },
  { header: 'Short name', cell: (t) => <span className="mono">{visible(t.slug)}</span> },
  { header: 'Number', cell: (t) => t.id, end: true },
];

export function Organizations() {
  const { all } = useOrganization();
  const add = (
    <Add
      label="Add an organization"
      right="tenants.change"
      send={async (form) => {
        const name = form('name').trim();
        await tenants.createTenant({ slug: form('slug').trim(), name });
        notice(`${name} is there. Its syslog listeners are set in vedette.yaml.`);
        await queryClient.invalidateQueries();
      }}
    >
      <TextInput label="Name" name="name" required withAsterisk={false} data-autofocus />
      <TextInput label="Short name" description="In addresses and commands: lower-case letters, digits and dashes" name="slug" required withAsterisk={false} pattern="[a-z0-9\-]+" />
    </Add>
  );
  return (
    <List
      label="Organizations" rows={all} keyOf={(t) => String(t.id)} columns={columns} error={undefined} retry={() => {}} empty="There is none yet." add={add}
      about="What belongs to one organization is never seen by another."
    />
  ); // prettier-ignore
}
