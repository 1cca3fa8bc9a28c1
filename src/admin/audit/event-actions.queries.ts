import type { Db } from '../../db/pool';

/** An event that an action changed, or one of its deliveries. */
export interface ChangedByAction {
  eventId: string;
  /** The destination of the delivery. Left out if the event itself was changed. */
  destinationId?: string;
}

/** Records which events an action has changed, in the transaction of the action. May be called once for each part. */
export async function recordActionOnEvents(
  db: Db,
  actionId: string,
  changed: readonly ChangedByAction[],
): Promise<void> {
  if (changed.length === 0) return;
  await db.query(
    `insert into event_actions (event_id, action_id, destination_ids)
     select event_id, $1,
            coalesce(array_agg(destination_id order by destination_id) filter (where destination_id is not null), '{}')
       from unnest($2::uuid[], $3::uuid[]) as t (event_id, destination_id)
      group by event_id order by event_id
     on conflict (event_id, action_id) do update
           set destination_ids = event_actions.destination_ids || excluded.destination_ids`,
    [actionId, changed.map(({ eventId }) => eventId), changed.map(({ destinationId }) => destinationId ?? null)],
  );
}
