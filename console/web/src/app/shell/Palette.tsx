import { useMantineColorScheme } from '@mantine/core';
import { Spotlight, spotlight } from '@mantine/spotlight';
import { IconSearch } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { Keys } from '../../ui/Keys';
import { useHotkeyList, useHotkeys } from '../keys';
import { useOrganization } from '../organization';
import { places } from './Navigation';
import { signOut } from './UserMenu';

export const openPalette = spotlight.open;

interface Action {
  id: string;
  label: string;
  keys?: string;
  run: () => void;
}

// Palette finds whatever can be gone to or done on this page by its name.
export function Palette() {
  const navigate = useNavigate();
  const { all, select } = useOrganization();
  const { toggleColorScheme } = useMantineColorScheme();
  const groups = useHotkeyList();
  useHotkeys('Everywhere', [{ keys: 'mod+k', label: 'Go to or do anything', run: spotlight.toggle, always: true }], true);
  const shown = useMemo(() => {
    const list = (title: string, actions: Action[]) => ({
      group: title,
      actions: actions.map((a) => ({ id: `${title}:${a.id}`, label: a.label, onClick: a.run, rightSection: a.keys && <Keys keys={a.keys} /> })),
    });
    const page = groups.filter((g) => !['Go to', 'Everywhere'].includes(g.title));
    return [
      ...page.map((g) => list(g.title, g.hotkeys.map((h) => ({ id: h.keys, label: h.label, keys: h.keys, run: h.run })))),
      list('Go to', [
        ...places.map((p) => ({ id: p.to, label: p.title, keys: p.keys, run: () => void navigate({ to: p.to }) })),
        { id: 'new', label: 'Load your own parser', run: () => void navigate({ to: '/modules/new' }) },
        { id: 'add', label: 'Add a source', run: () => void navigate({ to: '/sources/add' }) },
        { id: 'watch', label: 'Watch a device', run: () => void navigate({ to: '/monitors/new' }) },
        { id: 'table', label: 'Add a table', run: () => void navigate({ to: '/tables/new' }) },
        { id: 'trust', label: 'Trust policies', run: () => void navigate({ to: '/trust' }) },
        { id: 'access', label: 'Organizations and users', run: () => void navigate({ to: '/access' }) },
      ]),
      ...(all.length > 1
        ? [
            list('Organization', [
              { id: 'all', label: 'All organizations', run: () => select(undefined) },
              ...all.map((t) => ({ id: t.slug, label: t.name || t.slug, run: () => select(t.slug) })),
            ]),
          ]
        : []),
      list('Console', [
        { id: 'theme', label: 'Switch between dark and light', run: toggleColorScheme },
        { id: 'out', label: 'Sign out', run: () => void signOut() },
      ]),
    ];
  }, [groups, all, select, navigate, toggleColorScheme]);
  return (
    <Spotlight
      actions={shown}
      title="Go to or do"
      overlayProps={{ blur: 0, backgroundOpacity: 0.5 }}
      styles={{ header: { display: 'none' } }}
      shortcut={null}
      highlightQuery
      scrollable
      maxHeight={440}
      limit={60}
      nothingFound="Nothing has that name."
      searchProps={{ leftSection: <IconSearch size={16} />, placeholder: 'Go to a page, choose an organization, do something', 'aria-label': 'Go to or do' }}
    />
  );
}
