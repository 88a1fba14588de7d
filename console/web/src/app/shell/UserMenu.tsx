import { Menu, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconBuilding, IconCheck, IconKey, IconKeyboard, IconLogout, IconMoon, IconSun } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { auth } from '../../api/clients';
import { failed } from '../../ui/notice';
import { toSignIn } from '../router';
import { useSession } from '../session';
import { ChangePassword } from './ChangePassword';
import { openKeyHelp } from './KeyHelp';
import css from './shell.module.css';

export async function signOut(): Promise<void> {
  try {
    await auth.signOut({});
    toSignIn(false);
  } catch (e) {
    failed('Sign out', e);
  }
}

export function UserMenu() {
  const { user } = useSession();
  const navigate = useNavigate();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [changing, { open, close }] = useDisclosure();
  return (
    <>
      <Menu width={220}>
        <Menu.Target>
          <UnstyledButton className={css.user}>
            <b>{user.name.slice(0, 2)}</b>
            <span className="unseen">
              {user.name}, {user.role}: menu
            </span>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            {user.name} · {user.role}
          </Menu.Label>
          <Menu.Item leftSection={<IconMoon size={15} />} rightSection={colorScheme === 'dark' && <IconCheck size={14} />} onClick={() => setColorScheme('dark')}>
            Dark
          </Menu.Item>
          <Menu.Item leftSection={<IconSun size={15} />} rightSection={colorScheme === 'light' && <IconCheck size={14} />} onClick={() => setColorScheme('light')}>
            Light
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item leftSection={<IconKeyboard size={15} />} onClick={openKeyHelp}>
            Keys
          </Menu.Item>
          <Menu.Item leftSection={<IconBuilding size={15} />} onClick={() => void navigate({ to: '/access' })}>
            Organizations and users
          </Menu.Item>
          <Menu.Item leftSection={<IconKey size={15} />} onClick={open}>
            Change password
          </Menu.Item>
          <Menu.Item leftSection={<IconLogout size={15} />} onClick={() => void signOut()}>
            Sign out
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <ChangePassword opened={changing} close={close} />
    </>
  );
}
