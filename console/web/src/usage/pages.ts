import type { PageRoute } from '../app/page';

export const pages: PageRoute[] = [{ path: '/usage', load: () => import('./Usage') }];
