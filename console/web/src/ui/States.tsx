// What stands in place of content: nothing there, or something went wrong.

import { Button } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { explain } from '../api/errors';
import css from './ui.module.css';

// EmptyState says what is not there and what to do next.
export function EmptyState({ icon, title, children, actions }: { icon?: ReactNode; title: string; children?: ReactNode; actions?: ReactNode }) {
  return (
    <div className={css.empty}>
      {icon}
      <h3>{title}</h3>
      {children && <p>{children}</p>}
      {actions && <div className={css.actions}>{actions}</div>}
    </div>
  );
}

// ErrorBox says what failed, why, and offers to try again when that may help.
export function ErrorBox({ error, doing, retry }: { error: unknown; doing?: string; retry?: () => void }) {
  const e = explain(error);
  return (
    <div className={css.error} role="alert">
      <IconAlertTriangle size={16} aria-hidden="true" />
      <div>
        <strong>{doing ? `${doing}: ${e.title.toLowerCase()}` : e.title}</strong>
        {e.text}
      </div>
      {retry && e.retry && (
        <Button variant="default" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}
