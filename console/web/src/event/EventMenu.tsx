// What can be done with an event in a list, without opening it.

import { Menu } from '@mantine/core';
import { IconClockSearch, IconEye, IconZoomQuestion } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Event } from '../gen/vedette/v1/event_pb';
import { millis } from '../live/row';
import { WhyNot } from '../rules';
import { searchAround } from './links';

export interface Asked {
  readonly event: Event;
  // In the window.
  readonly at: { readonly x: number; readonly y: number };
}

// EventMenu opens where it was asked for; undefined while it is closed.
export function EventMenu({ asked, close, open }: { asked: Asked | undefined; close: () => void; open: (id: string) => void }) {
  const navigate = useNavigate();
  const [why, askWhy] = useState<Event>();
  const [rule, choose] = useState('');
  return (
    <>
      <Menu opened={asked !== undefined} onClose={close} position="bottom-start" offset={0} returnFocus>
        <Menu.Target>
          <span aria-hidden="true" style={{ position: 'fixed', left: asked?.at.x ?? 0, top: asked?.at.y ?? 0 }} />
        </Menu.Target>
        <Menu.Dropdown aria-label="Event">
          <Menu.Item leftSection={<IconEye size={14} aria-hidden="true" />} onClick={() => asked && open(asked.event.id)}>
            Open
          </Menu.Item>
          <Menu.Item leftSection={<IconZoomQuestion size={14} aria-hidden="true" />} onClick={() => askWhy(asked?.event)}>
            Why did a rule fire, or not?
          </Menu.Item>
          <Menu.Item leftSection={<IconClockSearch size={14} aria-hidden="true" />} onClick={() => asked && void navigate({ to: '/search', search: searchAround(asked.event.fields, millis(asked.event.time)) as never })}>
            Search around ±15 min
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <WhyNot event={why} rule={rule} choose={choose} close={() => askWhy(undefined)} />
    </>
  );
}
