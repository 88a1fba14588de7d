import { Select } from '@mantine/core';
import { useOrganization } from '../app/organization';

// ChooseOrganization is the field "tenant" of a form.
export function ChooseOrganization({ description }: { description?: string }) {
  const { all, selected } = useOrganization();
  return (
    <Select
      label="Organization"
      name="tenant"
      description={description}
      data={all.map((t) => ({ value: String(t.id), label: t.name || t.slug }))}
      defaultValue={String(selected?.id ?? all[0]?.id ?? '')}
      allowDeselect={false}
    />
  );
}
