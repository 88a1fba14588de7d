import { useQuery } from '@connectrpc/connect-query';
import { PasswordInput, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import { tenants } from '../api/clients';
import { useSession } from '../app/session';
import type { User } from '../gen/vedette/v1/auth_pb';
import { TenantService } from '../gen/vedette/v1/tenant_pb';
import { Badge, OrganizationName } from '../ui/Badge';
import { notice } from '../ui/notice';
import { visible } from '../ui/text';
import { ChooseOrganization } from './Choose';
import { Add, type Column, List } from './List';

const roles = [
  { value: 'analyst', label: 'Analyst: works incidents, changes modules' },
  { value: 'read-only', label: 'Read-only: sees everything, changes nothing' },
  { value: 'admin', label: 'Admin: all organizations, and the host' },
];

const shortest = 10; // bytes of a password, as the host wants it

export function Users() {
  const { user } = useSession();
  const { data, error, refetch } = useQuery(TenantService.method.listUsers, {});
  const [role, setRole] = useState('analyst');
  const columns: Column<User>[] = [
    { header: 'Name', cell: (u) => <>{visible(u.name)} {u.name === user.name && <Badge tone="accent">you</Badge>}</> },
    { header: 'Role', cell: (u) => u.role },
    { header: 'Sees', cell: (u) => (u.role === 'admin' ? <span className="dim">all organizations</span> : u.tenants.map((t) => <OrganizationName key={t} id={t} />)) },
    { header: 'State', cell: (u) => (u.disabled ? <Badge tone="warn">disabled</Badge> : <span className="dim">active</span>) },
  ]; // prettier-ignore
  const add = (
    <Add
      label="Add a user"
      right="users.change"
      send={async (form) => {
        const name = form('name').trim();
        await tenants.createUser({ name, password: form('password'), role, tenant: role === 'admin' ? 0 : Number(form('tenant')) });
        notice(`${name} may sign in.`);
        await refetch();
      }}
    >
      <TextInput label="Name" name="name" required withAsterisk={false} autoComplete="off" data-autofocus />
      <PasswordInput label="Password" description={`At least ${shortest} characters; they can change it once they are in`} name="password" minLength={shortest} required withAsterisk={false} autoComplete="new-password" />
      <Select label="Role" data={roles} value={role} onChange={(v) => v && setRole(v)} allowDeselect={false} />
      {role !== 'admin' && <ChooseOrganization />}
    </Add>
  );
  return (
    <List
      label="Users" rows={data?.users} keyOf={(u) => u.name} columns={columns} error={error} retry={() => void refetch()} empty="There is nobody." add={add}
      about="A user sees one organization; an admin sees all of them."
    />
  ); // prettier-ignore
}
