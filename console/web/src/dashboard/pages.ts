import type { PageRoute } from '../app/page';

export const pages: PageRoute[] = [{ path: '/dashboards', load: () => import('./Dashboard') }];
