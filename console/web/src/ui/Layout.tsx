// Pages and panels.

import { type ReactNode, useEffect } from 'react';
import css from './ui.module.css';

// Page has one heading, actions beside it, and a body that scrolls. flush leaves scrolling and space to the content.
export function Page({ title, actions, children, flush }: { title: ReactNode; actions?: ReactNode; children: ReactNode; flush?: boolean }) {
  return (
    <div className={css.page}>
      <div className={css.pageHead}>
        <h1>{title}</h1>
        {actions}
      </div>
      <div className={css.pageBody} data-flush={flush || undefined}>
        {children}
      </div>
    </div>
  );
}

// Spring takes the room that is left in a row of actions.
export const Spring = () => <span className={css.spring} style={{ flex: 1 }} />;

// Panel is a framed part of a page.
export function Panel({ title, actions, children, flush, className }: { title?: ReactNode; actions?: ReactNode; children: ReactNode; flush?: boolean; className?: string }) {
  return (
    <section className={[css.panel, className].filter(Boolean).join(' ')} data-flush={flush || undefined}>
      {(title || actions) && (
        <header>
          {title && <h2>{title}</h2>}
          <Spring />
          {actions}
        </header>
      )}
      <div>{children}</div>
    </section>
  );
}

// useTitle names the browser's tab.
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · Vedette` : 'Vedette';
  }, [title]);
}
