import type { ReactNode } from 'react';

/** The head of a column: its name, or more than that. */
export type Column = string | { name: string; head?: ReactNode; className?: string };

/** A column of figures, which stand to the right. */
export const numeric = (name: string): Column => ({ name, className: 'number' });

/** A column that explains itself to those who see it. */
export const unseen = (name: string): Column => ({ name, head: <span className="unseen">{name}</span> });

/** A table in a frame that scrolls by itself when the window is narrow. `children` are its rows. */
export function Table({ columns, children }: { columns: readonly Column[]; children: ReactNode }) {
  return (
    <div className="table-frame">
      <table>
        <thead>
          <tr>
            {columns.map((column) => {
              const { name, head = name, className } = typeof column === 'string' ? { name: column } : column;
              return (
                <th scope="col" key={name} className={className}>
                  {head}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
