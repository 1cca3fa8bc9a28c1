/*
 * How an event is dispatched again, whatever the reason. It is always one statement: a CTE `raised` compares and sets
 * rows of `event_state as s`, takes the ids of the new entries from outbox_id_seq and returns RAISED; appendEntries ends
 * the statement. So state and outbox entry commit together (I8), and whoever loses the compare-and-set appends nothing
 * (I11).
 */

/** A dispatch that was appended to the outbox. */
export interface Dispatch {
  eventId: string;
  generation: number;
  dispatchNo: number;
  /** bigint as text. */
  outboxId: string;
}

/** What the CTE `raised` returns. */
export const RAISED = 's.event_id, s.generation, s.dispatch_no, s.outbox_id';

/** Appends an outbox entry for each row of the CTE `rows`, which has the columns of RAISED. */
export const appendEntries = (destination: 'main' | 'retry' | 'dlq', rows = 'raised'): string => `
      insert into outbox (id, event_id, dispatch_no, generation, destination)
      select outbox_id, event_id, dispatch_no, generation, '${destination}' from ${rows}`;

/** To follow appendEntries where the caller needs the dispatches. */
export const RETURNING_DISPATCHES = `
      returning event_id as "eventId", generation, dispatch_no as "dispatchNo", id as "outboxId"`;
