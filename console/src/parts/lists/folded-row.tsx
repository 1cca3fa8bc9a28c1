import { useState, type ReactNode } from 'react';

interface Props {
  /** What the button says that shows the details; the first cell. */
  label: ReactNode;
  /** The other cells. */
  children: ReactNode;
  /** How many columns the table has. */
  columns: number;
  details: ReactNode;
}

/** A row of a table with details below it, which its first cell shows and hides. */
export function FoldedRow({ label, children, columns, details }: Props) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <tr>
        <td className="nowrap">
          <button type="button" aria-expanded={isOpen} data-row onClick={() => setIsOpen(!isOpen)}>
            <span className="unseen">Details of </span>
            {label}
          </button>
        </td>
        {children}
      </tr>
      {isOpen && (
        <tr className="inset">
          <td colSpan={columns}>{details}</td>
        </tr>
      )}
    </>
  );
}
