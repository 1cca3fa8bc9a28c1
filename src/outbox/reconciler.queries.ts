import type { Db } from '../db/pool';

/** A dispatch that the broker confirmed. */
export interface PublishedDispatch {
  /** Outbox id, bigint as text. */
  id: string;
  eventId: string;
  dispatchNo: number;
  generation: number;
  /** False while the entry is open or was closed after the moment asked for. */
  publishedLongAgo: boolean;
  /** No transaction that took a lower id can still be open; see statement_timeout in pool.ts. */
  createdLongAgo: boolean;
  /** An attempt, a newer dispatch or an operator has taken the event further. False for what is too young to be lost. */
  settled: boolean;
}

/**
 * Entries after `position`, oldest first, with what became of them. FAILED entries are an operator's business. A sweep ends
 * at the first that is too young: going on, it read the last minute again and again (40 % of a core at 9,000 events/s).
 */
export async function listDispatchesAfter(
  db: Db,
  query: { position: string; limit: number; publishedBefore: string },
): Promise<PublishedDispatch[]> {
  const { rows } = await db.query<PublishedDispatch>({
    name: 'list-dispatches-after',
    text: `
      select o.id, o.event_id as "eventId", o.dispatch_no as "dispatchNo", o.generation,
             o.created_at < $3 and coalesce(o.closed_at < $3, false) as "publishedLongAgo",
             o.created_at < now() - interval '60 seconds' as "createdLongAgo",
             o.created_at < $3
               and (o.destination = 'dlq' or o.status = 'FAILED'
                    or exists (select from processing_attempts a
                                where a.event_id = o.event_id and a.generation = o.generation and a.status = 'SUCCESS')
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

/**
 * Sends events out again with the next dispatch_no. The state row is raised only from the dispatch that was lost, so a
 * settlement or another leader that came first wins (I11). Returns how many were dispatched.
 */
export async function dispatchAgain(db: Db, lost: readonly PublishedDispatch[]): Promise<number> {
  const { rowCount } = await db.query(
    `with lost as (
       select * from unnest($1::uuid[], $2::integer[], $3::integer[]) as t (event_id, dispatch_no, generation)
     ), raised as (
       insert into event_state as s (event_id, status, generation, dispatch_no, attempts, outbox_id)
       select event_id, 'DISPATCHED', generation, dispatch_no + 1, 0, nextval('outbox_id_seq') from lost order by event_id
       on conflict (event_id) do update
             set dispatch_no = excluded.dispatch_no, outbox_id = excluded.outbox_id, updated_at = now()
           where s.dispatch_no = excluded.dispatch_no - 1 and s.status = 'DISPATCHED'
       returning event_id, generation, dispatch_no, outbox_id
     )
     insert into outbox (id, event_id, dispatch_no, generation, destination)
     select outbox_id, event_id, dispatch_no, generation, 'main' from raised`,
    [lost.map((d) => d.eventId), lost.map((d) => d.dispatchNo), lost.map((d) => d.generation)],
  );
  return rowCount ?? 0;
}

/** Where the reconciler stopped. Outbox id, bigint as text. */
export async function readPosition(db: Db): Promise<string> {
  const { rows } = await db.query<{ position: string }>(
    `select position from chore_progress where name = 'reconciler'`,
  );
  return rows[0]?.position ?? '0';
}

/** False, with nothing written, when it is not at `from` any more: an operator's requeue has taken it back. */
export async function movePosition(db: Db, { from, to }: { from: string; to: string }): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into chore_progress as p (name, position) values ('reconciler', $2)
     on conflict (name) do update set position = excluded.position, updated_at = now() where p.position = $1`,
    [from, to],
  );
  return rowCount === 1;
}

/** PostgreSQL's clock, less `secondsAgo`. */
export async function databaseTime(db: Db, secondsAgo: number): Promise<string> {
  const { rows } = await db.query<{ moment: string }>(`select now() - make_interval(secs => $1) as moment`, [
    secondsAgo,
  ]);
  return (rows[0] as { moment: string }).moment;
}
