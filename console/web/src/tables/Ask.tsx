import { Button, Modal, Select, Stack } from '@mantine/core';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import { ErrorBox } from '../ui/States';

interface Props {
  opened: boolean;
  title: string;
  close: () => void;
  // What is done with the fields of the form; the dialog stays open and says so when it fails.
  send: (field: (name: string) => string) => Promise<void>;
  children: ReactNode;
}

// Ask is a dialog with a form in it.
export function Ask({ opened, title, close, send, children }: Props) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  useEffect(() => setError(undefined), [opened]);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError(undefined);
    try {
      await send((name) => String(form.get(name) ?? ''));
      close();
    } catch (e) {
      setError(e);
    }
    setBusy(false);
  };
  return (
    <Modal opened={opened} onClose={close} title={title} size="lg">
      <form onSubmit={(e) => void submit(e)}>
        <Stack gap="md">
          {children}
          {error !== undefined && <ErrorBox error={error} doing={title} />}
          <Button type="submit" loading={busy}>
            {title}
          </Button>
        </Stack>
      </form>
    </Modal>
  );
}

// Whose asks which organization something is for.
export function Whose({ fixed }: { fixed?: number | undefined }) {
  const organization = useOrganization();
  const { can } = useSession();
  const first = fixed ?? organization.selected?.id ?? organization.all[0]?.id;
  const data = [...organization.all.map((t) => ({ value: String(t.id), label: t.name || t.slug })), ...(can('global.change') ? [{ value: '0', label: 'All organizations' }] : [])];
  return (
    <>
      <Select label="For" name={fixed === undefined ? 'tenant' : 'shown'} data={data} defaultValue={first === undefined ? null : String(first)} disabled={fixed !== undefined} allowDeselect={false} />
      {fixed !== undefined && <input type="hidden" name="tenant" value={fixed} />}
    </>
  );
}

const units: Record<string, number> = { m: 60, h: 3_600, d: 86_400 };

// spanOf reads "90m", "36 h" or "7d" as seconds; undefined when nothing stands there. It throws for what is no span.
export function spanOf(text: string): number | undefined {
  const words = text.trim().toLowerCase();
  if (words === '') return undefined;
  const [, n, unit] = /^(\d+)\s*([mhd])$/.exec(words) ?? [];
  if (!n) throw new Error(`“${text}” is no span of time: write 90m, 36h or 7d.`);
  return Number(n) * units[unit!]!;
}

// durationOf is a span as a message.
export const durationOf = (seconds: number | undefined) => (seconds === undefined ? undefined : { seconds: BigInt(seconds), nanos: 0 });
