import type { Db } from './pool';

/** Appends an outbox entry for the dead-letter queue in the caller's transaction (I8: nothing else publishes). */
export async function appendDeadLetterEntry(
  db: Db,
  entry: { eventId: string; dispatchNo: number; generation: number },
): Promise<void> {
  await db.query(`insert into outbox (event_id, dispatch_no, generation, destination) values ($1, $2, $3, 'dlq')`, [
    entry.eventId,
    entry.dispatchNo,
    entry.generation,
  ]);
}
