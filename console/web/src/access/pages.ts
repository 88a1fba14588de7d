import type { PageRoute } from '../app/page';

export const pages: PageRoute[] = [{ path: '/access', load: () => import('./Access') }];
