// What the four lists of this page have in common: a table, and a dialog that adds to it.

import { Code, ConnectError } from '@connectrpc/connect';
import { Button, Modal, Stack } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { type FormEvent, type ReactNode, useState } from 'react';
import { type Permission, useSession } from '../app/session';
import { EmptyState, ErrorBox } from '../ui/States';
import css from './access.module.css';

export interface Column<T> {
  header: string;
  cell: (row: T) => ReactNode;
  end?: boolean;
}

interface Props<T> {
  label: string;
  rows: readonly T[] | undefined;
  keyOf: (row: T) => string;
  columns: readonly Column<T>[];
  error: unknown;
  retry: () => void;
  empty: string;
  about: string;
  add: ReactNode;
}

export function List<T>({ label, rows, keyOf, columns, error, retry, empty, about, add }: Props<T>) {
  const { user } = useSession();
  return (
    <section className={css.list} aria-label={label}>
      <header>
        <p className="dim">{about}</p>
        {add}
      </header>
      {error && ConnectError.from(error).code === Code.PermissionDenied ? (
        <EmptyState title={`Your role, ${user.role}, does not see ${label.toLowerCase()}`}>Ask an admin.</EmptyState>
      ) : error ? (
        <ErrorBox error={error} doing={`Load ${label.toLowerCase()}`} retry={retry} />
      ) : (
        <table>
          <thead>
            <tr>
              {columns.map((c) => (
                <th key={c.header} scope="col" data-end={c.end || undefined}>
                  {c.header}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows?.map((r) => (
              <tr key={keyOf(r)}>
                {columns.map((c) => (
                  <td key={c.header} data-end={c.end || undefined}>
                    {c.cell(r)}
                  </td>
                ))}
              </tr>
            ))}
            {rows?.length === 0 && (
              <tr>
                <td colSpan={columns.length} className="dim">
                  {empty}
                </td>
              </tr>
            )}
          </tbody>
        </table>
      )}
    </section>
  );
}

interface AddProps {
  label: string;
  // What it needs.
  right: Permission;
  // Sends what was filled in; the dialog closes when it succeeds.
  send: (form: (name: string) => string) => Promise<void>;
  children: ReactNode;
}

// Add is a button and its dialog; it is disabled, with the reason, for those who lack the right.
export function Add({ label, right, send, children }: AddProps) {
  const { whyNot } = useSession();
  const [opened, { open, close }] = useDisclosure();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const why = whyNot(right);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    setBusy(true);
    setError(undefined);
    try {
      await send((name) => String(data.get(name) ?? ''));
      close();
    } catch (e) {
      setError(e);
    }
    setBusy(false);
  };
  return (
    <>
      <Button leftSection={<IconPlus size={14} aria-hidden="true" />} disabled={why !== ''} title={why} onClick={open}>
        {label}
      </Button>
      <Modal opened={opened} onClose={close} title={label}>
        <form onSubmit={(e) => void submit(e)}>
          <Stack gap="md">
            {children}
            {error !== undefined && <ErrorBox error={error} doing={label} />}
            <Button type="submit" loading={busy}>
              {label}
            </Button>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
