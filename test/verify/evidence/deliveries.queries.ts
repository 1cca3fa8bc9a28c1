import { rowsOf } from '../../support/processes/e2e-own-servers';
import type { StoredDelivery } from './evidence';

const ms = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`;

/** All deliveries with their attempts in order. Times are in ms after `startedMs`. */
export function readDeliveries(url: string, startedMs: number): Promise<(StoredDelivery & { eventId: string })[]> {
  return rowsOf<StoredDelivery & { eventId: string }>(
    url,
    `select d.event_id as "eventId", coalesce(split_part(t.url, '/', 4), '') as destination, d.generation, d.status,
            d.destination_id as "destinationId", d.replay_id is not null as "isBackfilled",
            ${ms('d.created_at')} - $1::float8 as "createdMs",
            d.attempts, d.tries, d.exhausted, d.last_reason_code as "reasonCode",
            ${ms('d.settled_at')} - $1::float8 as "settledMs",
            coalesce((select json_agg(json_build_object('attemptNumber', a.attempt_number, 'reasonCode', a.reason_code,
                                                        'statusCode', a.status_code, 'worker', a.worker,
                                                        'atMs', ${ms('a.at')} - $1::float8,
                                                        'isFailure', coalesce(a.failed, false))
                                      order by a.attempt_number)
                        from delivery_attempts a
                       where a.event_id = d.event_id and a.destination_id = d.destination_id
                         and a.generation = d.generation), '[]') as log
       from deliveries d left join destinations t on t.id = d.destination_id
      order by d.event_id, d.destination_id, d.generation`,
    [startedMs],
  );
}
