import type { PageRoute } from '../app/page';

export const pages: PageRoute[] = [
  { path: '/modules', load: () => import('./Modules') },
  { path: '/modules/new', load: () => import('./New') },
  { path: '/modules/quarantine', load: () => import('./Quarantine') },
  { path: '/modules/$publisher/$name', load: () => import('./Module') },
  { path: '/modules/hostile', load: () => import('./Hostile') },
];
