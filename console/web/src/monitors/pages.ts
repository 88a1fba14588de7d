import type { PageRoute } from '../app/page';

export const pages: PageRoute[] = [
  { path: '/monitors', load: () => import('./Monitors') },
  { path: '/monitors/new', load: () => import('./New') },
  { path: '/configurations', load: () => import('./Configurations') },
  { path: '/configurations/difference', load: () => import('./Difference') },
];
