import type { PageRoute } from '../app/page';

export const pages: PageRoute[] = [{ path: '/search', load: () => import('./Search') }];
