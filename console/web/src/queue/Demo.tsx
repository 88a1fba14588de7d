import { useQuery } from '@connectrpc/connect-query';
import { Button, Group, Menu, Modal, Stack, Text, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconChevronDown, IconPlayerPause, IconPlayerPlay, IconSword, IconTrash } from '@tabler/icons-react';
import { Fragment, useMemo, useState } from 'react';
import { demo } from '../api/clients';
import { queryClient } from '../api/query';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import { DemoService, type GetDemoResponse } from '../gen/vedette/v1/demo_pb';
import { plural } from '../ui/age';
import { failed, notice } from '../ui/notice';
import css from './queue.module.css';

const none: ReadonlySet<number> = new Set();

// useDemo returns what there is of demo data, and the organizations that are it.
export function useDemo(): { data: GetDemoResponse | undefined; tenants: ReadonlySet<number>; refetch: () => Promise<unknown> } {
  const { data, refetch } = useQuery(DemoService.method.getDemo, {}, { refetchInterval: 30_000, retry: false });
  const tenants = useMemo(() => (data?.present ? new Set(data.tenants) : none), [data]);
  return { data, tenants, refetch };
}

// DemoMenu marks that there is demo data, and steers it.
export function DemoMenu({ data, refetch }: { data: GetDemoResponse; refetch: () => Promise<unknown> }) {
  const { name } = useOrganization();
  const { whyNot } = useSession();
  const [asking, { open, close }] = useDisclosure();
  const why = whyNot('demo.change');
  const whyNoAttack = whyNot('demo.run');
  const attempt = async (doing: string, call: () => Promise<string>) => {
    try {
      notice(await call());
    } catch (e) {
      failed(doing, e);
    }
    await refetch();
  };
  const feed = (running: boolean) =>
    attempt(running ? 'Resume the demo feed' : 'Pause the demo feed', async () => {
      await demo.setDemoFeed({ running });
      return running ? 'The demo feed goes on.' : 'The demo feed is paused. Real sources are not touched.';
    });
  const start = (scenario: GetDemoResponse['scenarios'][number]) =>
    attempt(`Start “${scenario.title}”`, async () => {
      const { records } = await demo.startScenario({ name: scenario.name, tenant: scenario.tenant });
      return `“${scenario.title}” has begun: ${plural(records, 'record')} for ${name(scenario.tenant)}.`;
    });
  return (
    <>
      <Menu width={330}>
        <Menu.Target>
          <UnstyledButton className={css.demo} data-paused={!data.running || undefined}>
            {data.running ? 'Demo data' : 'Demo paused'}
            <IconChevronDown size={13} aria-hidden="true" />
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{why || 'The demo organizations get made-up traffic with attacks in it.'}</Menu.Label>
          <Menu.Item
            disabled={why !== ''}
            leftSection={data.running ? <IconPlayerPause size={15} /> : <IconPlayerPlay size={15} />}
            onClick={() => void feed(!data.running)}
          >
            {data.running ? 'Pause the feed' : 'Resume the feed'}
          </Menu.Item>
          {data.tenants.map((t) => {
            const scenarios = data.scenarios.filter((s) => s.tenant === t);
            if (scenarios.length === 0) return null;
            return (
              <Fragment key={t}>
                <Menu.Label>Start an attack on {name(t)}</Menu.Label>
                {scenarios.map((s) => (
                  <Menu.Item key={s.name} disabled={whyNoAttack !== ''} leftSection={<IconSword size={15} />} title={s.description} onClick={() => void start(s)}>
                    {s.title}
                  </Menu.Item>
                ))}
              </Fragment>
            );
          })}
          <Menu.Divider />
          <Menu.Item color="red" disabled={why !== ''} leftSection={<IconTrash size={15} />} onClick={open}>
            Remove all demo data…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Remove opened={asking} close={close} names={data.tenants.map(name)} refetch={refetch} />
    </>
  );
}

function Remove({ opened, close, names, refetch }: { opened: boolean; close: () => void; names: string[]; refetch: () => Promise<unknown> }) {
  const [busy, setBusy] = useState(false);
  const remove = async () => {
    setBusy(true);
    try {
      await demo.removeDemo({});
      notice('All demo data is gone.');
      close();
      await queryClient.invalidateQueries();
    } catch (e) {
      failed('Remove the demo data', e);
    }
    setBusy(false);
    await refetch();
  };
  return (
    <Modal opened={opened} onClose={close} title="Remove all demo data?">
      <Stack gap="lg">
        <Text size="md">
          The feed ends. {names.join(' and ')} {names.length === 1 ? 'goes' : 'go'} with their incidents, events, users and modules. This cannot be taken
          back. Your own organizations stay as they are.
        </Text>
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={close} data-autofocus>
            Keep it
          </Button>
          <Button color="red" loading={busy} onClick={() => void remove()}>
            Remove demo data
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
