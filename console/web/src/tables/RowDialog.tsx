import { Button, Modal, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useEffect, useState } from 'react';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';

interface Props {
  columns: readonly string[];
  // Of the row to be changed; none for one that is added, undefined while there is nothing to ask.
  cells: readonly string[] | undefined;
  close: () => void;
  send: (cells: string[]) => Promise<void>;
}

// RowDialog asks for the cells of a row.
export function RowDialog({ columns, cells, close, send }: Props) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  useEffect(() => setError(undefined), [cells]);
  const label = cells && cells.length > 0 ? 'Change the row' : 'Add a row';
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError(undefined);
    try {
      await send(columns.map((_, i) => String(form.get(String(i)) ?? '')));
      close();
    } catch (e) {
      setError(e);
    }
    setBusy(false);
  };
  return (
    <Modal opened={cells !== undefined} onClose={close} title={label}>
      <form onSubmit={(e) => void submit(e)}>
        <Stack gap="md">
          {columns.map((c, i) => (
            <TextInput key={c} name={String(i)} label={visible(c)} defaultValue={cells?.[i] ?? ''} {...(i === 0 ? { description: 'The key', required: true, withAsterisk: false, 'data-autofocus': true } : {})} />
          ))}
          {error !== undefined && <ErrorBox error={error} doing={label} />}
          <Button type="submit" loading={busy}>
            {label}
          </Button>
        </Stack>
      </form>
    </Modal>
  );
}
