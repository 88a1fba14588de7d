import type { PageRoute } from '../app/page';

export const pages: PageRoute[] = [{ path: '/health', load: () => import('./Health') }];
