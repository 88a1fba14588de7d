import type { PageRoute } from '../app/page';

export const pages: PageRoute[] = [{ path: '/queue', load: () => import('./Queue') }];
