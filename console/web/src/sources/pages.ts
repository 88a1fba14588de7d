import type { PageRoute } from '../app/page';

export const pages: PageRoute[] = [
  { path: '/sources', load: () => import('./Sources') },
  { path: '/sources/add', load: () => import('./Add') },
];
