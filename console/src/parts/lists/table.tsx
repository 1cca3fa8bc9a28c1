import type { ReactNode } from 'react';

/** The head of a column: its name, or more than that. */
export type Column = string | { name: string; head?: ReactNode; className?: string };

/** A column of figures, which stand to the right. */
export const numeric = (name: string): Column => ({ name, className: 'number' });

/** A column that explains itself to those who see it. */
export const unseen = (name: string): Column => ({ name, head: <span className="unseen">{name}</span> });

interface Props {
  columns: readonly Column[];
  /** Its rows. */
  children: ReactNode;
  /** Names a table whose rows have nothing to focus. The keyboard can then scroll its frame. */
  label?: string;
}

/** A table in a frame that scrolls by itself when the window is narrow. */
export function Table({ columns, children, label }: Props) {
  const region = label === undefined ? {} : { role: 'region', 'aria-label': label, tabIndex: 0 };
  return (
    <div className="table-frame" {...region}>
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
