import type { Db } from '../db/pool';

/** Counting stops here: an exact number beyond it would cost more than it tells. */
const DEAD_LETTERS_CAP = 10_000;

/** Events that wait in the DLQ. Those that a person sent on their way again or discarded do not count. */
export async function countDeadLetters(db: Db): Promise<number> {
  const { rows } = await db.query<{ size: number }>({
    name: 'count-dead-letters',
    text: `
      select count(*)::integer as size
        from (select from dead_letters where resolved_at is null limit $1) waiting`,
    values: [DEAD_LETTERS_CAP],
  });
  return rows[0]?.size ?? 0;
}
