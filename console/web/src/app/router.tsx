import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, redirect, retainSearchParams } from '@tanstack/react-router';
import { onSessionEnd } from '../api/transport';
import { pages as access } from '../access/pages';
import { pages as admission } from '../admission/pages';
import { pages as catalogue } from '../catalogue/pages';
import { pages as dashboard } from '../dashboard/pages';
import { pages as health } from '../health/pages';
import { pages as incident } from '../incident/pages';
import { pages as modules } from '../modules/pages';
import { pages as monitors } from '../monitors/pages';
import { pages as queue } from '../queue/pages';
import { pages as rules } from '../rules/pages';
import { pages as search } from '../search/pages';
import { pages as sources } from '../sources/pages';
import { pages as tables } from '../tables/pages';
import { pages as trust } from '../trust/pages';
import { pages as usage } from '../usage/pages';
import { NotFound, PageFailed, Unreachable } from './Fallbacks';
import { parseSearch, type Raw, stringifySearch } from './params';
import { forget, whoAmI } from './session';
import { Shell } from './shell/Shell';
import { SignIn } from './SignIn';

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (s: Raw): Raw => s,
  component: SignIn,
});

// Everything below needs a session; whoever has none signs in and comes back.
const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  validateSearch: (s: Raw): Raw => s,
  search: { middlewares: [retainSearchParams(['org'])] },
  beforeLoad: async ({ location }) => {
    const who = await whoAmI();
    if (!who) throw redirect({ to: '/sign-in', search: next(location.href) as never });
    return { who };
  },
  component: Shell,
  errorComponent: Unreachable,
});

const home = createRoute({
  getParentRoute: () => signedIn,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/queue', replace: true });
  },
});

const routes = [queue, incident, search, dashboard, rules, modules, admission, catalogue, trust, sources, monitors, tables, usage, health, access].flat().map((p) =>
  createRoute({ getParentRoute: () => signedIn, path: p.path, component: lazyRouteComponent(p.load), errorComponent: PageFailed }),
);

export const router = createRouter({
  routeTree: root.addChildren([signIn, signedIn.addChildren([home, ...routes])]),
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  defaultNotFoundComponent: NotFound,
});

function next(href: string): Raw {
  return href === '/' || href === '/queue' ? {} : { next: href };
}

// toSignIn leaves the page, and remembers where to come back to.
export function toSignIn(ended: boolean): void {
  if (router.state.location.pathname === '/sign-in') return;
  const search: Raw = { ...next(router.state.location.href), ...(ended ? { ended: 'true' } : {}) };
  forget();
  void router.navigate({ to: '/sign-in', search: search as never });
}

onSessionEnd(() => toSignIn(true));
