import { printable } from './printable';

/** A value of a table's cell. Null and undefined are shown as `-`. */
export type Cell = string | number | boolean | null | undefined;

const GAP = '  ';

const textOf = (cell: Cell): string =>
  cell === null || cell === undefined || cell === '' ? '-' : printable(String(cell));

/** Lines of a table: the titles, then one line a row. A number is aligned to the right. The last column has no padding. */
export function tableLines(titles: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const lines = [titles.map((title) => title.toUpperCase()), ...rows.map((row) => row.map(textOf))];
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  const isNumber = titles.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  return lines.map((line) =>
    line
      .map((text, column) => {
        if (isNumber[column]) return text.padStart(widths[column] ?? 0);
        return column === titles.length - 1 ? text : text.padEnd(widths[column] ?? 0);
      })
      .join(GAP)
      .trimEnd(),
  );
}

/** Lines of names and values, one below the other. */
export function factLines(facts: readonly (readonly [string, Cell])[]): string[] {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${name.padEnd(width)}${GAP}${textOf(value)}`.trimEnd());
}
