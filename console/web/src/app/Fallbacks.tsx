// What stands where a page should be.

import { Button } from '@mantine/core';
import { IconCompass, IconPlugConnectedX } from '@tabler/icons-react';
import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import { EmptyState, ErrorBox } from '../ui/States';

export function NotFound() {
  return (
    <EmptyState icon={<IconCompass size={28} />} title="No such page" actions={<Link to="/queue">Go to the queue</Link>}>
      The address names nothing that the console has. It may have been cut when it was copied.
    </EmptyState>
  );
}

// PageFailed is shown when a page cannot be drawn; the rest of the console goes on.
export function PageFailed({ error, reset }: ErrorComponentProps) {
  return (
    <div style={{ padding: 24 }}>
      <ErrorBox error={error} doing="This page cannot be shown" retry={reset} />
    </div>
  );
}

export function Unreachable({ reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <EmptyState
      icon={<IconPlugConnectedX size={28} />}
      title="The host does not answer"
      actions={
        <Button
          onClick={() => {
            reset();
            void router.invalidate();
          }}
        >
          Try again
        </Button>
      }
    >
      The page is there, but its host is not. It may be restarting.
    </EmptyState>
  );
}
