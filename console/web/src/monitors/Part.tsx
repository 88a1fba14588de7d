import type { ReactNode } from 'react';

// Part is a titled part of what is told about a watch or a device.
export const Part = ({ title, children }: { title: ReactNode; children: ReactNode }) => (
  <section>
    <h3>{title}</h3>
    {children}
  </section>
);
