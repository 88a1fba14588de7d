import { Code, ConnectError } from '@connectrpc/connect';
import { Button, Modal, PasswordInput, Stack } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { auth } from '../../api/clients';
import { explain } from '../../api/errors';
import { notice } from '../../ui/notice';
import { useSession } from '../session';

const shortest = 10; // characters, as the host wants it

export function ChangePassword({ opened, close }: { opened: boolean; close: () => void }) {
  return (
    <Modal opened={opened} onClose={close} title="Change password">
      <Form close={close} />
    </Modal>
  );
}

function Form({ close }: { close: () => void }) {
  const { user } = useSession();
  const [fault, setFault] = useState<{ old?: string; fresh?: string }>({});
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [oldPassword, newPassword, again] = ['old', 'new', 'again'].map((n) => String(form.get(n)));
    if (newPassword!.length < shortest) return setFault({ fresh: `At least ${shortest} characters.` });
    if (newPassword !== again) return setFault({ fresh: 'The two are not the same.' });
    setBusy(true);
    setFault({});
    try {
      await auth.changePassword({ oldPassword: oldPassword!, newPassword: newPassword! });
      notice('Your password is changed. Your other sessions have ended.');
      close();
    } catch (e) {
      setBusy(false);
      if (ConnectError.from(e).code === Code.Unauthenticated) setFault({ old: 'This is not your password.' });
      else setFault({ fresh: explain(e).text });
    }
  }

  return (
    <form onSubmit={(e) => void submit(e)}>
      <Stack gap="md">
        <input type="text" name="username" autoComplete="username" value={user.name} readOnly hidden />
        <PasswordInput label="Old password" name="old" autoComplete="current-password" required withAsterisk={false} error={fault.old} data-autofocus />
        <PasswordInput label="New password" description={`At least ${shortest} characters`} name="new" autoComplete="new-password" required withAsterisk={false} error={fault.fresh} />
        <PasswordInput label="New password again" name="again" autoComplete="new-password" required withAsterisk={false} />
        <Button type="submit" loading={busy}>
          Change password
        </Button>
      </Stack>
    </form>
  );
}
