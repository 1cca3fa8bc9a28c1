import type { Db } from '../db/pool';
import type { DispatchedEvent } from '../event/dispatched-event';

/** What is done of events that are not done as a whole: names of handlers and of partial effects, by event id. */
export async function readEffects(db: Db, events: readonly DispatchedEvent[]): Promise<Map<string, Set<string>>> {
  const { rows } = await db.query<{ id: string; done: string[] }>({
    name: 'read-effects',
    text: `
      select h.event_id as id, array_agg(h.handler) as done
        from handler_effects h
        join unnest($1::uuid[], $2::integer[]) as t (id, generation) on h.event_id = t.id and h.generation = t.generation
       group by h.event_id`,
    values: [events.map(({ id }) => id), events.map(({ generation }) => generation)],
  });
  return new Map(rows.map(({ id, done }) => [id, new Set(done)]));
}

export async function recordEffects(
  db: Db,
  effects: readonly { event: DispatchedEvent; name: string }[],
): Promise<void> {
  if (effects.length === 0) return;
  await db.query({
    name: 'record-effects',
    text: `insert into handler_effects (event_id, generation, handler)
           select * from unnest($1::uuid[], $2::integer[], $3::text[])
           on conflict do nothing`,
    values: [
      effects.map(({ event }) => event.id),
      effects.map(({ event }) => event.generation),
      effects.map(({ name }) => name),
    ],
  });
}
