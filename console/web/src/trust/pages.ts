import type { PageRoute } from '../app/page';

export const pages: PageRoute[] = [{ path: '/trust', load: () => import('./Trust') }];
