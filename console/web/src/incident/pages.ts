import type { PageRoute } from '../app/page';
import { pages as event } from '../event/pages';

export const pages: PageRoute[] = [{ path: '/incidents/$id', load: () => import('./Incident') }, ...event];
