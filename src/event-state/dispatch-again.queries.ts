/*
 * Every second or later dispatch of an event is one statement with two parts. The CTE `raised` compares and sets rows
 * of `event_state as s`, takes the ids of the new entries from outbox_id_seq and returns RAISED. appendEntries ends the
 * statement. State and outbox entry therefore commit together (I8), and a statement that loses the compare-and-set
 * appends nothing (I11).
 */

/** A dispatch that was appended to the outbox. */
export interface Dispatch {
  eventId: string;
  generation: number;
  dispatchNo: number;
  /** bigint as text. */
  outboxId: string;
}

/** The columns that the CTE `raised` returns. */
export const RAISED = 's.event_id, s.status, s.generation, s.dispatch_no, s.outbox_id, s.revision';

/**
 * Appends an outbox entry for each row of the CTE `rows`, which has the columns of RAISED. A dispatch carries the newest
 * revision of its event. For the workers it then has a negative generation, which the build before does not accept.
 */
export const appendEntries = (destination: 'main' | 'retry' | 'dlq', rows = 'raised'): string => `
      insert into outbox (id, event_id, tenant_id, dispatch_no, generation, destination, revision)
      select outbox_id, event_id,
             coalesce((select e.tenant_id from events e where e.id = ${rows}.event_id), ''), dispatch_no,
             ${destination === 'dlq' ? 'generation' : 'case when revision is null then generation else -generation end'},
             '${destination}', revision from ${rows}`;

/** Follows appendEntries if the caller needs the dispatches. */
export const RETURNING_DISPATCHES = `
      returning event_id as "eventId", abs(generation) as generation, dispatch_no as "dispatchNo", id as "outboxId"`;
