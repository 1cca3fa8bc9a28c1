import type { Db } from '../db/pool';

/** A handler with `ordering: 'key'`. */
export interface OrderedHandler {
  name: string;
  eventTypes: readonly string[];
  onPoison: 'block' | 'skip';
}

/** Handlers that no worker has announced for so long are not there any more. */
const FORGOTTEN_AFTER_MINUTES = 60;

/**
 * Announces the ordered handlers of a worker, and forgets those that no worker has any more. Whoever stores events notes
 * those of their types from then on.
 */
export async function announceHandlers(db: Db, handlers: readonly OrderedHandler[]): Promise<void> {
  await db.query(
    `with forgotten as (
       delete from ordered_handlers
        where seen_at < now() - make_interval(mins => ${FORGOTTEN_AFTER_MINUTES}) and name <> all ($1::text[])
     )
     insert into ordered_handlers (name, event_types, on_poison)
     select name, array(select jsonb_array_elements_text(event_types)), on_poison
       from unnest($1::text[], $2::jsonb[], $3::text[]) as t (name, event_types, on_poison)
      order by name
     on conflict (name) do update
           set event_types = excluded.event_types, on_poison = excluded.on_poison, seen_at = now()`,
    [
      handlers.map(({ name }) => name),
      handlers.map(({ eventTypes }) => JSON.stringify(eventTypes)),
      handlers.map(({ onPoison }) => onPoison),
    ],
  );
}
