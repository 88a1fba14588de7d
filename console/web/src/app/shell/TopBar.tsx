import { Menu, Tooltip, UnstyledButton } from '@mantine/core';
import { IconCheck, IconChevronDown, IconSearch } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useLine } from '../../live/live';
import { useNow } from '../../ui/Age';
import { age, count, rate } from '../../ui/age';
import { Keys } from '../../ui/Keys';
import { Mark } from '../Mark';
import { useOrganization } from '../organization';
import { openPalette } from './Palette';
import css from './shell.module.css';
import { UserMenu } from './UserMenu';

export function TopBar() {
  return (
    <header className={css.top}>
      <Link to="/queue" className={css.brand} aria-label="Vedette, to the queue">
        <Mark />
        <span>Vedette</span>
      </Link>
      <Switcher />
      <LiveLine />
      <span className={css.spring} />
      <UnstyledButton className={css.palette} onClick={openPalette}>
        <IconSearch size={14} aria-hidden="true" />
        Go to or do
        <Keys keys="mod+k" />
      </UnstyledButton>
      <UserMenu />
    </header>
  );
}

function Switcher() {
  const { all, selected, select, color } = useOrganization();
  if (all.length === 0) return null;
  if (all.length === 1) {
    return (
      <span className={css.switcher}>
        <span className="cut">{all[0]!.name || all[0]!.slug}</span>
      </span>
    );
  }
  return (
    <Menu position="bottom-start" width={260}>
      <Menu.Target>
        <UnstyledButton className={css.switcher}>
          <span className="unseen">Organization:</span>
          <i data-all={!selected || undefined} style={selected && ({ '--own': color(selected.id) } as object)} />
          <span className="cut">{selected ? selected.name || selected.slug : 'All organizations'}</span>
          <IconChevronDown size={14} aria-hidden="true" />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown mah={420} style={{ overflow: 'auto' }}>
        <Menu.Label>Work in</Menu.Label>
        <Menu.Item onClick={() => select(undefined)} rightSection={!selected && <IconCheck size={14} />}>
          <span className={css.choice}>
            <i data-all />
            All organizations
          </span>
        </Menu.Item>
        <Menu.Divider />
        {all.map((t) => (
          <Menu.Item key={t.id} onClick={() => select(t.slug)} rightSection={selected?.id === t.id && <IconCheck size={14} />}>
            <span className={css.choice} style={{ '--own': color(t.id) } as object}>
              <i />
              <span className="cut">{t.name || t.slug}</span>
            </span>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

// LiveLine says whether what is shown is fresh. Rate and age change every second and are not announced; the state is.
function LiveLine() {
  const line = useLine();
  const text = { connecting: 'connecting…', live: 'live', reconnecting: 'reconnecting…', ended: 'signed out' }[line.status];
  return (
    <span className={css.line} data-status={line.status}>
      <i aria-hidden="true" />
      <span role="status">{text}</span>
      {line.status === 'live' && (
        <>
          <span>·</span>
          <span>
            <strong>{rate(line.eventsPerSecond)}</strong> events/s
          </span>
          <span>·</span>
          <Tooltip label="Records and events that were refused or lost since the host started; Health says why">
            <span data-bad={line.dropped > 0 || undefined}>{count(line.dropped)} dropped</span>
          </Tooltip>
        </>
      )}
      {line.status === 'reconnecting' && <Broken since={line.brokenSince} />}
    </span>
  );
}

function Broken({ since }: { since: number }) {
  const text = age(since, useNow());
  return text === 'now' ? null : <span>for {text}</span>;
}
