import type { PageRoute } from '../app/page';

export const pages: PageRoute[] = [
  { path: '/tables', load: () => import('./Tables') },
  { path: '/tables/new', load: () => import('./Upload') },
  { path: '/tables/rows', load: () => import('./Rows') },
];
