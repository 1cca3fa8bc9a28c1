import type { Db } from '../db/pool';

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

/** A dispatch whose outbox id was taken from outbox_id_seq together with the state of its event. */
export interface Dispatch {
  eventId: string;
  generation: number;
  dispatchNo: number;
  /** bigint as text. */
  outboxId: string;
}

/** Appends entries for events.retry in the caller's transaction: what a person sends again yields to fresh events. */
export async function appendRetryEntries(db: Db, dispatches: readonly Dispatch[]): Promise<void> {
  await db.query(
    `insert into outbox (id, event_id, dispatch_no, generation, destination)
     select *, 'retry' from unnest($1::bigint[], $2::uuid[], $3::integer[], $4::integer[])`,
    [
      dispatches.map(({ outboxId }) => outboxId),
      dispatches.map(({ eventId }) => eventId),
      dispatches.map(({ dispatchNo }) => dispatchNo),
      dispatches.map(({ generation }) => generation),
    ],
  );
}
