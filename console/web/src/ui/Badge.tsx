import type { ReactNode } from 'react';
import { useOrganization } from '../app/organization';
import css from './ui.module.css';

// Badge is a small word about something: "demo", "unsigned".
export function Badge({ tone, title, children }: { tone?: 'ok' | 'warn' | 'bad' | 'accent'; title?: string; children: ReactNode }) {
  return (
    <span className={css.badge} data-tone={tone} title={title}>
      {children}
    </span>
  );
}

// OrganizationName is an organization with its colour.
export function OrganizationName({ id }: { id: number }) {
  const organization = useOrganization();
  const name = organization.name(id);
  return (
    <span className={css.organization} style={{ '--own': organization.color(id) } as object} title={name}>
      <i />
      <span className="cut">{name}</span>
    </span>
  );
}
