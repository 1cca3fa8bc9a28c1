import type { ReactNode } from 'react';

/** Figures side by side. `children` are its figures. */
export function Figures({ children }: { children: ReactNode }) {
  return <ul className="figures">{children}</ul>;
}

/** A number with its name, and what it means. */
export function Figure({ name, value, children }: { name: string; value: ReactNode; children?: ReactNode }) {
  return (
    <li className="figure">
      <span className="figure-name">{name}</span>
      <span className="figure-value">{value ?? '…'}</span>
      <span className="hint">{children}</span>
    </li>
  );
}
