// Declaring a version right: what is pulled is compared with it from then on.

import { Button, Group, Modal, Stack, Textarea } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconRosetteDiscountCheck } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { monitors as calls } from '../api/clients';
import { useHotkeys } from '../app/keys';
import { useSession } from '../app/session';
import type { BlessedConfig, ConfigVersion } from '../gen/vedette/v1/monitor_pb';
import { millis } from '../live/row';
import { clock } from '../ui/age';
import { Keys } from '../ui/Keys';
import { notice } from '../ui/notice';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';

interface Props {
  tenant: number;
  version: ConfigVersion;
  blessed: BlessedConfig | undefined;
  done: () => void;
}

const longestReason = 500; // characters; the host keeps 512 bytes

export function Bless({ tenant, version: v, blessed, done }: Props) {
  const { whyNot } = useSession();
  const [opened, { open, close }] = useDisclosure();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const is = blessed?.digest === v.digest;
  const why = whyNot('monitors.change');
  useHotkeys('Version', [{ keys: 'b', label: is ? 'Declare none right' : 'Declare this version right', run: () => (why ? void notice(why) : open()) }]);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const reason = String(new FormData(event.currentTarget).get('reason') ?? '').trim();
    setBusy(true);
    setError(undefined);
    try {
      await calls.blessConfig({ tenant, device: v.device, name: v.name, digest: is ? '' : v.digest, reason });
      notice(is ? `Nothing is declared right for ${visible(v.name)} of ${visible(v.device)} any more.` : `This version is the right ${visible(v.name)} of ${visible(v.device)}.`);
      close();
      done();
    } catch (e) {
      setError(e);
    }
    setBusy(false);
  };
  const label = is ? 'Declare none right' : 'Declare this version right';
  return (
    <>
      <Button variant="default" leftSection={<IconRosetteDiscountCheck size={14} aria-hidden="true" />} rightSection={<Keys keys="b" />} aria-haspopup="dialog" aria-expanded={opened} disabled={why !== ''} title={why} onClick={open}>
        {label}
      </Button>
      <Modal opened={opened} onClose={close} title={label}>
        <form onSubmit={(e) => void submit(e)}>
          <Stack gap="md">
            <p>
              {is
                ? 'What is pulled is then compared with the version before only.'
                : `From the next poll on, ${visible(v.name)} of ${visible(v.device)} is compared with the version of ${clock(millis(v.at))}; a deviation is told once, as an event.`}
            </p>
            <Textarea name="reason" label="Why" description="It stands among the changes, with your name" autosize minRows={2} maxLength={longestReason} data-autofocus />
            {error !== undefined && <ErrorBox error={error} doing={label} />}
            <Group justify="flex-end" gap="sm">
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button type="submit" loading={busy}>
                {label}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
