import type { ReactNode } from 'react';

const NOTHING: ReadonlySet<ReactNode> = new Set([undefined, null, false, '']);

/** Names with their values. Values that are undefined, null, false or empty are left out. */
export function Facts({ facts }: { facts: Record<string, ReactNode> }) {
  const shown = Object.entries(facts).filter(([, value]) => !NOTHING.has(value));
  return (
    <dl className="facts">
      {shown.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
