import { globSync, readFileSync } from 'node:fs';
import * as path from 'node:path';

const ROOT = path.resolve(__dirname, '../../..');
const ARROW = /(\[\*\]|[A-Z]+) --> (\[\*\]|[A-Z]+)/;

/** The state machines, with the folder whose functions make the changes, in the order of their diagrams in the docs. */
export const MACHINES = { event: 'event-state', delivery: 'delivery-state' } as const;
export type Machine = keyof typeof MACHINES;

/** A change of a state, and the function that makes it. `[*]` means that there is no row. */
export interface Arrow {
  from: string;
  to: string;
  by: string;
}

/** Returns the arrows that the doc tags `@arrow FROM --> TO` of a state machine declare. */
export function arrowsOfCode(machine: Machine): Arrow[] {
  return globSync(`src/${MACHINES[machine]}/**/*.ts`, { cwd: ROOT }).flatMap((file) => {
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

/** Returns the arrows of a Mermaid diagram in docs/architecture.md. */
export function arrowsOfDiagram(machine: Machine): Arrow[] {
  const text = readFileSync(path.join(ROOT, 'docs/architecture.md'), 'utf8');
  const diagrams = [...text.matchAll(/```mermaid\nstateDiagram-v2\n([^]*?)```/g)].map(([, diagram]) => diagram);
  const diagram = diagrams[Object.keys(MACHINES).indexOf(machine)] ?? '';
  return diagram.split('\n').flatMap((line) => {
    const [, from, to, label] = new RegExp(`^\\s*${ARROW.source}: (.+)$`).exec(line) ?? [];
    if (from === undefined || to === undefined || label === undefined) return [];
    return label.split(', ').map((by) => ({ from, to, by }));
  });
}
