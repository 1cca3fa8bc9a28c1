import type { Db } from '../../db/pool';
import type { EventStatus } from '../../event/event-status';
import type { LiveEvent } from './live-event';

/** Lists the newest ids from `floor` on, by the primary key. */
export async function listNewestIds(db: Db, floor: string, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>('select id from events where id >= $1 order by id desc limit $2', [
    floor,
    limit,
  ]);
  return rows.map(({ id }) => id);
}

/** Reads events in the order of their ids. */
export async function readLiveEvents(db: Db, ids: readonly string[]): Promise<Omit<LiveEvent, 'status'>[]> {
  const { rows } = await db.query<Omit<LiveEvent, 'status'>>(
    `select e.id, e.event_id as "eventId", e.tenant_id as "tenantId", e.type, e.subject, e.source,
            e.source_id as "sourceId", e.correlation_id as "correlationId", e.received_at as "receivedAt",
            e.size_bytes as "sizeBytes"
       from unnest($1::uuid[]) i (id) cross join lateral (select * from events e where e.id = i.id limit 1) e
      order by e.id`,
    [ids],
  );
  return rows;
}

export async function readStatuses(db: Db, ids: readonly string[]): Promise<{ id: string; status: EventStatus }[]> {
  const { rows } = await db.query<{ id: string; status: EventStatus }>(
    `with in_order as (select from events limit 0)
     select v.event_id as id, v.status
       from unnest($1::uuid[]) i (id)
      cross join lateral (select v.event_id, v.status from event_status v where v.event_id = i.id limit 1) v`,
    [ids],
  );
  return rows;
}
