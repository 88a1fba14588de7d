// An event beside the page from which it was opened: what is under it stays in use.

import { ActionIcon, Tooltip } from '@mantine/core';
import { IconChevronDown, IconChevronUp, IconX } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import { useHotkeys } from '../app/keys';
import type { Event } from '../gen/vedette/v1/event_pb';
import { CopyButton } from '../ui/Copy';
import { Keys } from '../ui/Keys';
import css from './event.module.css';
import { EventView } from './EventView';
import type { Filter } from './fields';

interface Props {
  eventId: string;
  // Its neighbours in the list from which it was opened, with what is known of them.
  ids?: readonly string[];
  event?: Event | undefined;
  onChange?: (id: string) => void;
  onClose: () => void;
  onFilter?: (f: Filter) => void;
  rule?: string;
}

export function EventFlyout({ eventId, ids = [], event, onChange, onClose, onFilter, rule = '' }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const at = ids.indexOf(eventId);
  const step = (by: number) => {
    const id = ids[at + by];
    if (at >= 0 && id) onChange?.(id);
  };
  // Focus comes to the event and goes back to where it was.
  useEffect(() => {
    const before = document.activeElement;
    box.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  useHotkeys('Event', [
    { keys: 'Escape', label: 'Close the event', run: onClose },
    { keys: 'j', label: 'Next event', run: () => step(1) },
    { keys: 'k', label: 'Event before', run: () => step(-1) },
  ]);
  return (
    <div ref={box} className={css.flyout} role="dialog" aria-label="Event" tabIndex={-1}>
      <header>
        <h2>Event</h2>
        <span className="dim mono cut" title={eventId}>
          {eventId}
        </span>
        <CopyButton text={eventId} what="the event's number" />
        <span className={css.spring} />
        {at >= 0 && ids.length > 1 && (
          <>
            <span className="dim number">
              {at + 1} of {ids.length}
            </span>
            <Step label="Event before" keys="k" disabled={at === 0} onClick={() => step(-1)} icon={<IconChevronUp size={16} />} />
            <Step label="Next event" keys="j" disabled={at === ids.length - 1} onClick={() => step(1)} icon={<IconChevronDown size={16} />} />
          </>
        )}
        <Step label="Close" keys="Escape" onClick={onClose} icon={<IconX size={16} />} />
      </header>
      <div className={css.flyoutBody}>
        <EventView key={eventId} eventId={eventId} event={event} rule={rule} {...(onFilter ? { onFilter } : {})} />
      </div>
    </div>
  );
}

function Step({ label, keys, icon, onClick, disabled = false }: { label: string; keys: string; icon: React.ReactNode; onClick: () => void; disabled?: boolean }) {
  return (
    <Tooltip label={<>{label} <Keys keys={keys} /></>}>
      <ActionIcon aria-label={label} disabled={disabled} onClick={onClick}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}
