import type { Db } from '../db/pool';
import type { Dispatch } from '../event-state/dispatch-again.queries';

/** An outbox entry that the reconciler examines. */
export interface PublishedDispatch extends Dispatch {
  /** False if the entry is open or was closed after `publishedBefore`. */
  publishedLongAgo: boolean;
  /** True if the entry is older than that, and still waits to be published, as those of a tenant that rests do. */
  open: boolean;
  /** True if no transaction with a lower entry id can still be open (statement_timeout in pool.ts bounds it). */
  createdLongAgo: boolean;
  /** True if an attempt, a newer dispatch or an operator has moved the event on. False within the grace period. */
  settled: boolean;
}

/**
 * Lists the entries after `position`, oldest first. A FAILED entry counts as settled, because it waits for an operator.
 * A sweep stops at the first entry within the grace period, unless that is older and open. A version that continued read the last minute repeatedly,
 * which took 40 % of a core at 9,000 events/s.
 */
export async function listDispatchesAfter(
  db: Db,
  query: { position: string; limit: number; publishedBefore: string },
): Promise<PublishedDispatch[]> {
  const { rows } = await db.query<PublishedDispatch>({
    name: 'list-dispatches-after',
    text: `
      select o.id as "outboxId", o.event_id as "eventId", o.dispatch_no as "dispatchNo", abs(o.generation) as generation,
             o.created_at < $3 and coalesce(o.closed_at < $3, false) as "publishedLongAgo",
             o.created_at < $3 and o.closed_at is null as open,
             o.created_at < now() - interval '60 seconds' as "createdLongAgo",
             o.created_at < $3 and o.closed_at is not null
               and (o.destination = 'dlq' or o.status = 'FAILED'
                    or exists (select from processing_attempts a
                                where a.event_id = o.event_id and a.generation = abs(o.generation) and a.status = 'SUCCESS')
                    or exists (select from event_state s
                                where s.event_id = o.event_id
                                  and (s.dispatch_no > o.dispatch_no or s.status <> 'DISPATCHED'))) as settled
        from outbox o
       where o.id > $1
       order by o.id limit $2`,
    values: [query.position, query.limit, query.publishedBefore],
  });
  return rows;
}

/** Reads the id of the last outbox entry that the reconciler has passed (bigint as text). */
export async function readPosition(db: Db): Promise<string> {
  const { rows } = await db.query<{ position: string }>(
    `select position from chore_progress where name = 'reconciler'`,
  );
  return rows[0]?.position ?? '0';
}

/** Returns false and writes nothing if the position is no longer `from`: an operator's requeue moved it back. */
export async function movePosition(db: Db, { from, to }: { from: string; to: string }): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into chore_progress as p (name, position) values ('reconciler', $2)
     on conflict (name) do update set position = excluded.position, updated_at = now() where p.position = $1`,
    [from, to],
  );
  return rowCount === 1;
}

/** Returns the time `secondsAgo` seconds ago by PostgreSQL's clock. */
export async function databaseTime(db: Db, secondsAgo: number): Promise<string> {
  const { rows } = await db.query<{ moment: string }>(`select now() - make_interval(secs => $1) as moment`, [
    secondsAgo,
  ]);
  return (rows[0] as { moment: string }).moment;
}
