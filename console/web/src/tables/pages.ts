import type { PageRoute } from '../app/page';

export const pages: PageRoute[] = [
  { path: '/tables', load: () => import('./Tables') },
  { path: '/tables/new', load: () => import('./Upload') },
  { path: '/tables/rows', load: () => import('./Rows') },
  { path: '/tables/lists', load: () => import('./Lists') },
  { path: '/tables/entries', load: () => import('./Entries') },
  { path: '/tables/indicators', load: () => import('./Indicators') },
  { path: '/tables/indicators/rows', load: () => import('./SetRows') },
];
