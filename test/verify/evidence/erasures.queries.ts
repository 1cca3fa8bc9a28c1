import { rowsOf } from '../../support/processes/e2e-own-servers';
import type { StoredErasure } from './evidence';

/** All erasures, oldest first. */
export function readErasures(url: string): Promise<StoredErasure[]> {
  return rowsOf<StoredErasure>(
    url,
    `select id, status, event_ids::text[] as "eventIds", coalesce((counts ->> 'events')::integer, 0) as events
       from erasures order by id`,
  );
}

const ERASED = '[erased]';
const NOTES = ['erased', ERASED];

const quotes = (table: string, column: string): string =>
  `exists (select from ${table} t where t.event_id = e.id and t.${column} is not null
            and t.${column} <> all ('{${NOTES.join()}}'::text[]))`;

/** Where something of an erased event is stored that an erasure removes. */
const TRACES: Record<string, string> = {
  payload: `e.payload::text <> 'null' or e.extensions is not null`,
  revisions: `exists (select from event_revisions r where r.event_id = e.id and (r.payload::text <> 'null'))
              or ${quotes('event_revisions', 'note')}`,
  'messages of attempts': quotes('processing_attempts', 'error_message'),
  'its state': quotes('event_state', 'last_error'),
  'its dead letter': `${quotes('dead_letters', 'error_message')} or ${quotes('dead_letters', 'note')}`,
  'its deliveries': quotes('deliveries', 'last_error'),
  'attempts of deliveries': quotes('delivery_attempts', 'response_excerpt'),
};

/** Times are in ms after `startedMs`. */
export function readErased(
  url: string,
  startedMs: number,
): Promise<{ eventId: string; erasedMs: number; traces: string[] }[]> {
  const traces = Object.entries(TRACES).map(([where, condition]) => `case when ${condition} then '${where}' end`);
  return rowsOf(
    url,
    `select e.id as "eventId", (extract(epoch from e.erased_at) * 1000)::float8 - $1::float8 as "erasedMs",
            array_remove(array[${traces.join(', ')}], null) as traces
       from events e where e.erased_at is not null`,
    [startedMs],
  );
}
