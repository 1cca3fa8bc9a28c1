import { globSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { arrowsOfCode, arrowsOfDiagram, MACHINES, type Arrow, type Machine } from '../../support/model/arrows';

const ROOT = path.resolve(__dirname, '../../..');
const lines = (arrows: readonly Arrow[]): string[] =>
  arrows.map(({ from, to, by }) => `${from} --> ${to}: ${by}`).sort();

/** Tables that say where an event stands. */
const STATE_TABLES = 'event_state|processing_attempts|retry_schedule|dead_letters|handler_effects';
/** Appends the first dispatch of an event in the statement that stores it. */
const STORES_EVENTS = 'src/ingest/store/store-batch.queries.ts';

describe.each(Object.keys(MACHINES) as Machine[])('the diagram of the states of one %s', (machine) => {
  it('has the arrows in docs/architecture.md that the code declares, and no others', () => {
    expect(lines(arrowsOfDiagram(machine))).toEqual(lines(arrowsOfCode(machine)));
    expect(arrowsOfCode(machine).length).toBeGreaterThan(10);
  });
});

describe('the state machine of an event', () => {
  it('has a line in docs/architecture.md for each function that draws an arrow', () => {
    const text = readFileSync(path.join(ROOT, 'docs/architecture.md'), 'utf8');
    const described = [...text.matchAll(/^\| `(\w+)` +\| `(src\/[^`]+)`/gm)].map(([, by, file]) => ({ by, file }));
    expect(described.map(({ by }) => by).sort()).toEqual(
      [...new Set(arrowsOfCode('event').map(({ by }) => by))].sort(),
    );
    for (const { by, file } of described) {
      expect(readFileSync(path.join(ROOT, file as string), 'utf8')).toContain(`export async function ${by}(`);
    }
  });

  it('is written in src/event-state only', () => {
    const writes = new RegExp(`(insert into|update|delete from)\\s+(${STATE_TABLES})\\b|insert into outbox\\b`);
    const writers = globSync('src/**/*.ts', { cwd: ROOT }).filter((file) =>
      writes.test(readFileSync(path.join(ROOT, file), 'utf8')),
    );
    expect(writers.filter((file) => !file.startsWith('src/event-state/'))).toEqual([STORES_EVENTS]);
  });
});
