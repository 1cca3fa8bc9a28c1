import { globSync, readFileSync } from 'node:fs';
import * as path from 'node:path';

const ROOT = path.resolve(__dirname, '../../..');
const ARROW = /(\[\*\]|[A-Z]+) --> (\[\*\]|[A-Z]+)/;

/** A change of an event's state, and the function that makes it. `[*]` means that the event has no row. */
export interface Arrow {
  from: string;
  to: string;
  by: string;
}

/** Returns the arrows that the doc tags `@arrow FROM --> TO` in src/event-state declare. */
export function arrowsOfCode(): Arrow[] {
  return globSync('src/event-state/*.ts', { cwd: ROOT }).flatMap((file) => {
    const text = readFileSync(path.join(ROOT, file), 'utf8');
    return [...text.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s*export async function (\w+)/g)].flatMap(
      ([, comment = '', by = '']) =>
        [...comment.matchAll(new RegExp(`@arrow ${ARROW.source}`, 'g'))].map(([, from = '', to = '']) => ({
          from,
          to,
          by,
        })),
    );
  });
}

/** Returns the arrows of the Mermaid diagram in docs/architecture.md. */
export function arrowsOfDiagram(): Arrow[] {
  const text = readFileSync(path.join(ROOT, 'docs/architecture.md'), 'utf8');
  const diagram = /```mermaid\nstateDiagram-v2\n([^]*?)```/.exec(text)?.[1] ?? '';
  return diagram.split('\n').flatMap((line) => {
    const [, from, to, label] = new RegExp(`^\\s*${ARROW.source}: (.+)$`).exec(line) ?? [];
    if (from === undefined || to === undefined || label === undefined) return [];
    return label.split(', ').map((by) => ({ from, to, by }));
  });
}
