import type { PageRoute } from '../app/page';

export const pages: PageRoute[] = [{ path: '/events/$id', load: () => import('./EventPage') }];
