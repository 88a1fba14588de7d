// What is polled: watches and how they are doing, devices, credentials, and who changed them.

import { Button, SegmentedControl, TextInput } from '@mantine/core';
import { IconPlus, IconSearch } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useHotkeys } from '../app/keys';
import { useParams } from '../app/params';
import { useSession } from '../app/session';
import { Page, Spring, useTitle } from '../ui/Layout';
import { Changes } from './Changes';
import { Credentials } from './Credentials';
import { AddDevice } from './DeviceForm';
import { Devices } from './Devices';
import { defaults } from './params';
import { Watches } from './Watches';

const parts = {
  watches: { label: 'Watches', Content: Watches },
  devices: { label: 'Devices', Content: Devices },
  credentials: { label: 'Credentials', Content: Credentials },
  changes: { label: 'Changes', Content: Changes },
};

export default function Monitors() {
  useTitle('Monitors');
  const [params, set] = useParams(defaults);
  const navigate = useNavigate();
  const { whyNot } = useSession();
  const shown = params.show in parts ? (params.show as keyof typeof parts) : 'watches';
  const why = whyNot('devices.change');
  useHotkeys('Monitors', [
    { keys: 'a', label: 'Watch a device', run: () => why === '' && void navigate({ to: '/monitors/new' }) },
    ...Object.entries(parts).map(([show, p], i) => ({ keys: String(i + 1), label: p.label, run: () => set({ show, at: '' }, { push: true }) })),
  ]);
  const { Content } = parts[shown];
  return (
    <Page
      flush
      title="Monitors"
      actions={
        <>
          <SegmentedControl
            aria-label="What is listed"
            value={shown}
            onChange={(show) => set({ show, at: '', sort: defaults.sort }, { push: true })}
            data={Object.entries(parts).map(([value, p]) => ({ value, label: p.label }))}
          />
          {shown !== 'credentials' && (
            <TextInput
              aria-label={`Filter ${parts[shown].label.toLowerCase()}`}
              placeholder={shown === 'changes' ? 'Who or what' : 'Name, monitor or device'}
              leftSection={<IconSearch size={14} aria-hidden="true" />}
              value={params.text}
              onChange={(e) => set({ text: e.currentTarget.value })}
            />
          )}
          <Spring />
          <AddDevice />
          {why ? (
            <Button leftSection={<IconPlus size={14} aria-hidden="true" />} disabled title={why}>
              Watch a device
            </Button>
          ) : (
            <Button leftSection={<IconPlus size={14} aria-hidden="true" />} renderRoot={(props) => <Link {...props} to="/monitors/new" />}>
              Watch a device
            </Button>
          )}
        </>
      }
    >
      <Content />
    </Page>
  );
}
