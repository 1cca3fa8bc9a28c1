import type { Db } from '../../../db/pool';
import { isInDueOrder, isParked } from '../../../delivery-state/delivery-keys';

/** The backlog is counted up to this number, to bound its cost. */
export const MOST_BACKLOG = 100_000;

export interface MinutesOfHour {
  delivered: number;
  failed: number;
  /** Number of successful attempts by duration, one count for each bucket of LATENCY_BOUNDS_MS. */
  latencyMs: number[];
}

/** Sums what workers recorded of a destination in the last hour. */
export async function sumMinutes(db: Db, destinationId: string): Promise<MinutesOfHour> {
  const { rows } = await db.query<MinutesOfHour>(
    `with minutes as (
       select delivered, failed, latency_ms from destination_minutes
        where destination_id = $1 and minute > now() - interval '1 hour'
     )
     select coalesce(sum(delivered), 0)::integer as delivered, coalesce(sum(failed), 0)::integer as failed,
            array(select sum(n)::integer from minutes, unnest(latency_ms) with ordinality as t (n, i)
                   group by i order by i) as "latencyMs"
       from minutes`,
    [destinationId],
  );
  return rows[0] ?? { delivered: 0, failed: 0, latencyMs: [] };
}

export interface AttemptsOfMinute extends MinutesOfHour {
  at: string;
}

/** Lists the minutes of the last hour in which attempts of a destination ended, oldest first. */
export async function listMinutes(db: Db, destinationId: string): Promise<AttemptsOfMinute[]> {
  const { rows } = await db.query<AttemptsOfMinute>(
    `select minute as at, delivered, failed, latency_ms as "latencyMs" from destination_minutes
      where destination_id = $1 and minute > now() - interval '1 hour' order by minute`,
    [destinationId],
  );
  return rows;
}

export interface BacklogOfDestination {
  /** At most MOST_BACKLOG. */
  backlog: number;
  /** Of these, those that wait for others of their key. */
  parked: number;
  oldest: string | null;
}

/** Counts the open deliveries of a destination, and finds when the oldest of them was made. */
export async function readBacklog(db: Db, destinationId: string): Promise<BacklogOfDestination> {
  const { rows } = await db.query<BacklogOfDestination>(
    `with waiting as materialized (
       select event_id, generation, ${isParked('q')} as parked from delivery_queue q
        where destination_id = $1 and ${isInDueOrder('q')} order by due_at limit $2
     )
     select (select count(*)::integer from waiting) as backlog,
            (select count(*)::integer from waiting where parked) as parked,
            (select d.created_at
               from (select * from waiting order by event_id, generation limit 1) w
               join deliveries d
                 on d.event_id = w.event_id and d.destination_id = $1 and d.generation = w.generation) as oldest`,
    [destinationId, MOST_BACKLOG],
  );
  return rows[0] ?? { backlog: 0, parked: 0, oldest: null };
}

export interface FailuresOfDestination {
  lastError: string | null;
  lastReasonCode: string | null;
  failingSince: string | null;
  openUntil: string | null;
  /** The circuit is open, and its time is over. */
  mayProbe: boolean;
}

/** Reads what is known of a destination whose newest answers are failures. Undefined: they are not. */
export async function readFailures(db: Db, destinationId: string): Promise<FailuresOfDestination | undefined> {
  const { rows } = await db.query<FailuresOfDestination>(
    `select last_error as "lastError", last_reason_code as "lastReasonCode", failing_since as "failingSince",
            open_until as "openUntil", coalesce(open_until <= now(), false) as "mayProbe"
       from destination_failures where destination_id = $1`,
    [destinationId],
  );
  return rows[0];
}
