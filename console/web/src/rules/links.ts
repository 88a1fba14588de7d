// Where rules lead to.

import type { Rule } from '../gen/vedette/v1/rule_pb';

// linkOf is where a rule is shown.
export const linkOf = (id: string) => ({ to: '/rules', search: { at: id } as never }) as const;

// editing is where a rule is changed, or copied into one of the organization's own.
export const editing = (id: string) => ({ to: '/rules/new', search: { rule: id } as never }) as const;

// incidentsOf is the queue with the incidents of a rule in it.
export const incidentsOf = (id: string, state = 'any') => ({ to: '/queue', search: { rule: id, state } as never }) as const;

// packageOf is the page of the package that a rule came in.
export const packageOf = (r: Pick<Rule, 'package' | 'tenant'>) => {
  const [publisher = '', name = ''] = r.package.split('/');
  return { to: '/modules/$publisher/$name', params: { publisher, name }, search: (r.tenant ? { for: String(r.tenant) } : {}) as never } as const;
};
