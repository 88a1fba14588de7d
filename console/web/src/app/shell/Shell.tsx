import { Outlet, useRouteContext } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import type { WhoAmIResponse } from '../../gen/vedette/v1/auth_pb';
import { LiveProvider } from '../../live/live';
import { listen } from '../keys';
import { OrganizationProvider, useOrganization } from '../organization';
import { toSignIn } from '../router';
import { SessionProvider } from '../session';
import { KeyHelp } from './KeyHelp';
import { Navigation } from './Navigation';
import { Palette } from './Palette';
import css from './shell.module.css';
import { TopBar } from './TopBar';

// Shell is everything around a page.
export function Shell() {
  const { who } = useRouteContext({ strict: false }) as { who: WhoAmIResponse };
  useEffect(listen, []);
  return (
    <SessionProvider who={who}>
      <OrganizationProvider>
        <Frame />
      </OrganizationProvider>
    </SessionProvider>
  );
}

const ended = () => toSignIn(true);

function Frame() {
  const { all, loaded, selected, tenants, color } = useOrganization();
  const known = useMemo(() => (loaded ? all.map((t) => t.id) : undefined), [all, loaded]);
  const stripe = selected && all.length > 1 ? color(selected.id) : 'transparent';
  return (
    <LiveProvider tenants={tenants} all={known} ended={ended}>
      <a className={css.skip} href="#page">
        Skip to the page
      </a>
      <div className={css.shell} style={{ '--stripe': stripe } as object}>
        <TopBar />
        <Navigation />
        <main id="page" className={css.page} tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <Palette />
      <KeyHelp />
    </LiveProvider>
  );
}
