// How a page tells the console where it is. Each page's folder has a pages.ts that exports a list of these.

import type { ComponentType } from 'react';

export interface PageRoute {
  // As TanStack Router writes it: "/incidents/$id".
  path: string;
  // Loads the page's own chunk. The component reads its parameters with useParams of TanStack Router ($id) and of
  // app/params (query).
  load: () => Promise<{ default: ComponentType }>;
}
