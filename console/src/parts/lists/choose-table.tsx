import type { ReactNode } from 'react';
import { Table, type Column } from './table';

interface Props<Row extends { id: string }> {
  columns: readonly Column[];
  rows: readonly Row[];
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
  /** Names a row to those who hear its box. */
  nameOf: (row: Row) => string;
  /** The cells of a row. */
  children: (row: Row) => ReactNode;
}

/** A table with boxes to choose some of its rows. */
export function ChooseTable<Row extends { id: string }>(props: Props<Row>) {
  const { columns, rows, chosen, onChoose, nameOf, children } = props;
  const isAll = rows.every(({ id }) => chosen.has(id));
  function toggle(id: string): void {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    onChoose(next);
  }
  const boxOfAll = (
    <input
      type="checkbox"
      aria-label="Choose all that are shown"
      checked={isAll}
      onChange={() => onChoose(new Set(isAll ? [] : rows.map(({ id }) => id)))}
    />
  );
  return (
    <Table columns={[{ name: 'Choose', head: boxOfAll }, ...columns]}>
      {rows.map((row) => (
        <tr key={row.id}>
          <td>
            <input
              type="checkbox"
              aria-label={`Choose ${nameOf(row)}`}
              checked={chosen.has(row.id)}
              onChange={() => toggle(row.id)}
            />
          </td>
          {children(row)}
        </tr>
      ))}
    </Table>
  );
}
