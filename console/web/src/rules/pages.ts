import type { PageRoute } from '../app/page';

export const pages: PageRoute[] = [
  { path: '/rules', load: () => import('./Rules') },
  { path: '/rules/new', load: () => import('./New') },
  { path: '/rules/attack', load: () => import('./Attack') },
  { path: '/rules/ledger', load: () => import('./Ledger') },
];
