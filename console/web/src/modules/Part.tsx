import type { ReactNode } from 'react';

// Part is a titled part of what is told about a module.
export const Part = ({ title, children }: { title: ReactNode; children: ReactNode }) => (
  <section>
    <h3>{title}</h3>
    {children}
  </section>
);
