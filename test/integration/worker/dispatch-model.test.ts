import { Logger } from '@nestjs/common';
import * as fc from 'fast-check';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { arrowsOfCode } from '../../support/model/arrows';
import { DispatchModel, steps, type Sabotage } from '../../support/model/dispatch-model';

/** MODEL_SEED repeats a run; MODEL_RUNS makes it longer. */
const seed = Number(process.env.MODEL_SEED ?? Date.now() % 1_000_000_000);
const numRuns = Number(process.env.MODEL_RUNS ?? 40);

const REMOVED: Record<string, { sabotage: Sabotage; prepare?: string }> = {
  'the dispatch check': {
    sabotage: (name, text) => {
      // Without the check itself and without its repetition after the wait.
      if (name === 'open-attempts') return text.replace(/where s\.event_id is null or [^\n]+/, '');
      return withoutFencing(name, text);
    },
  },
  'the unique success': {
    sabotage: (name, text) => (name === 'open-attempts' ? text.replace(/on conflict [^\n]+/, '') : text),
    prepare: 'drop index processing_attempts_one_success',
  },
  fencing: { sabotage: withoutFencing },
};

function withoutFencing(name: string, text: string): string {
  if (name === 'read-states') return `${text} and false`;
  return name === 'raise-states' ? text.replace(/where s\.dispatch_no = [^\n]+/, '') : text;
}

/** Notes every change of a state that a dispatch or a settlement makes. */
const TRACE_ARROWS = `
  create table arrows (arrow text);
  create function note_arrow() returns trigger language plpgsql as $$
    begin
      insert into arrows values (case when tg_op = 'INSERT' then '[*]' else old.status end || ' --> ' || new.status);
      return new;
    end $$;
  create trigger note_arrow before insert or update on event_state for each row execute function note_arrow()`;

/**
 * How a removed safeguard shows: a broken invariant, or the next safeguard in line. A replay of an event that succeeded
 * twice would raise its state "a second time"; without the dispatch check, a state that is newer refuses every pass.
 */
const CAUGHT = /I\d+: |violates unique constraint|affect row a second time|every pass was overtaken/;

describe('messages, duplicates, crashes, failures, retries, operators and the reconciler in any order', () => {
  const databases: TestDatabase[] = [];
  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  afterAll(async () => {
    for (const database of databases) await database.drop();
  });

  const given = async (prepare?: string): Promise<TestDatabase> => {
    const database = await createTestDatabase();
    databases.push(database);
    await database.pool.query('create table effects (handler text, event_id uuid, generation integer)');
    if (prepare) await database.pool.query(prepare);
    return database;
  };

  it('hold I5, I6, I7, I11 and I13', async () => {
    process.stdout.write(`dispatch model: MODEL_SEED=${seed} MODEL_RUNS=${numRuns}\n`);
    const { pool } = await given();
    await pool.query(TRACE_ARROWS);
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        expect(await new DispatchModel(pool).run(script)).toEqual([]);
      }),
      { seed, numRuns },
    );
    const { rows } = await pool.query<{ arrow: string }>('select distinct arrow from arrows order by 1');
    const declared = new Set(arrowsOfCode('event').map(({ from, to }) => `${from} --> ${to}`));
    expect(rows.map(({ arrow }) => arrow).filter((arrow) => !declared.has(arrow))).toEqual([]);
    expect(rows.length).toBeGreaterThan(5);
  }, 120_000);

  it.each(Object.entries(REMOVED))(
    'do not hold them without %s',
    async (_, { sabotage, prepare }) => {
      const { pool } = await given(prepare);
      const details = await fc.check(
        fc.asyncProperty(steps, async (script) => {
          // An erasure relies on the unique success by name, and would fail without showing what it is for.
          const withoutErasures = script.filter(({ kind }) => kind !== 'erase');
          expect(await new DispatchModel(pool, sabotage).run(withoutErasures)).toEqual([]);
        }),
        { seed, numRuns: 200, endOnFailure: true },
      );
      expect(details.failed).toBe(true);
      expect(String(details.errorInstance)).toMatch(CAUGHT);
    },
    60_000,
  );
});
