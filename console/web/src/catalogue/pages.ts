import type { PageRoute } from '../app/page';

export const pages: PageRoute[] = [{ path: '/catalogue', load: () => import('./Catalogue') }];
