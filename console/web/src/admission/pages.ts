import type { PageRoute } from '../app/page';

export const pages: PageRoute[] = [{ path: '/modules/approvals', load: () => import('./Approvals') }];
