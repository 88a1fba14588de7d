import { Button, Group, Modal, Radio, Stack, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { RelatedIncident } from '../gen/vedette/v1/incident_pb';
import { clock } from '../ui/age';
import { millis, type Row } from '../live/row';
import { visible } from '../ui/text';
import css from './incident.module.css';
import type { IncidentPage } from './useIncidentPage';

interface Props {
  opened: boolean;
  close: () => void;
  row: Row;
  related: readonly RelatedIncident[];
  act: IncidentPage['act'];
}

const mostChoices = 20;

// MergeInto asks which related incident goes on; this one is then closed as its duplicate.
export function MergeInto({ opened, close, row, related, act }: Props) {
  const choices = related.flatMap((r) => (r.incident && r.incident.tenant === row.tenant && r.incident.state !== 'resolved' ? [r.incident] : [])).slice(0, mostChoices);
  const [into, setInto] = useState('');
  const submit = (e: FormEvent) => {
    e.preventDefault();
    close();
    act('Merge', 'Merged', [row], [{ action: 'merge', argument: into }]);
  };
  return (
    <Modal opened={opened} onClose={close} title="Merge into another incident">
      {choices.length === 0 ? (
        <Stack gap="md">
          <Text size="md">No other open incident of this organization shares a host, user, address or hash with this one. To merge it with another one nevertheless, select both in the queue.</Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Close
            </Button>
          </Group>
        </Stack>
      ) : (
        <form onSubmit={submit}>
          <Stack gap="md">
            <Radio.Group label="Which one goes on?" description="This one is closed as its duplicate and points to it." value={into} onChange={setInto}>
              <Stack gap="sm" mt={8} className={css.choices}>
                {choices.map((i, n) => (
                  <Radio key={i.id} value={i.id} size="xs" data-autofocus={n === 0 || undefined} label={visible(i.title)} description={`${i.severity}, ${i.state}, opened ${clock(millis(i.openedAt))}`} />
                ))}
              </Stack>
            </Radio.Group>
            <Group justify="flex-end" gap="sm">
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button type="submit" disabled={into === ''}>
                Merge
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
