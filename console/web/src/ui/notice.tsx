// Short notices at the edge of the page.

import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { explain } from '../api/errors';

// notice says that something was done; undo offers to take it back, for ten seconds.
export function notice(text: string, undo?: () => void): string {
  const id = notifications.show({
    message: undo ? (
      <span style={{ display: 'flex', alignItems: 'center', gap: 12, justifyContent: 'space-between' }}>
        {text}
        <Button
          size="compact-xs"
          variant="light"
          onClick={() => {
            notifications.hide(id);
            undo();
          }}
        >
          Undo
        </Button>
      </span>
    ) : (
      text
    ),
    autoClose: undo ? 10_000 : 4_000,
    withBorder: true,
  });
  return id;
}

export const dismiss = (id: string): void => void notifications.hide(id);

// failed says that something could not be done, and why.
export function failed(doing: string, error: unknown): void {
  const e = explain(error);
  notifications.show({ title: `${doing}: ${e.title.toLowerCase()}`, message: e.text, color: 'red', autoClose: 8_000, withBorder: true });
}
