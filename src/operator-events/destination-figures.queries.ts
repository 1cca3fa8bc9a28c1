import type { Db } from '../db/pool';
import { RESERVED_TENANT } from '../event/tenant';
import { readingOf, type Observation, type WatchReading } from './condition';

/** As many as an installation may have destinations. */
const MOST_DESTINATIONS = 10_000;

/** A url may contain secrets, so it is no name. */
const NAME = `left(coalesce(t.uid, nullif(t.description, ''), t.id::text), 200)`;

interface FailingRow {
  subject: string;
  tenantId: string;
  name: string;
  since: string;
  isRaising: boolean;
  seconds: number;
  reasonCode: string | null;
  statusCode: number | null;
}

/**
 * Reads the destinations of tenants whose newest answers are failures. A paused or disabled one raises nothing, but has not
 * recovered either.
 */
export async function readFailingDestinations(db: Db, afterSeconds: number): Promise<WatchReading> {
  const { rows } = await db.query<FailingRow>(
    `select t.id as subject, t.tenant_id as "tenantId", ${NAME} as name,
            coalesce(f.failing_since, t.disabled_at, t.updated_at) as since,
            coalesce(f.updated_at - f.failing_since >= make_interval(secs => $1), false)
              and t.enabled and t.paused_at is null as "isRaising",
            floor(extract(epoch from now() - f.failing_since))::float8 as seconds, f.last_reason_code as "reasonCode",
            f.last_status_code as "statusCode"
       from destinations t left join destination_failures f on f.destination_id = t.id
      where (f.destination_id is not null or t.disabled_reason is not null) and t.tenant_id <> $2
      order by t.id limit $3`,
    [afterSeconds, RESERVED_TENANT, MOST_DESTINATIONS],
  );
  return readingOf(rows.map(failingObservation), MOST_DESTINATIONS);
}

/** The same for the destinations of operator events. One that is disabled is no better than one that fails. */
export async function readFailingReceivers(db: Db, afterSeconds: number): Promise<WatchReading> {
  const { rows } = await db.query<FailingRow>(
    `select t.id as subject, t.tenant_id as "tenantId", ${NAME} as name,
            coalesce(f.failing_since, t.disabled_at, t.updated_at) as since,
            t.disabled_reason is not null or
              (f.updated_at - f.failing_since >= make_interval(secs => $1) and t.paused_at is null) as "isRaising",
            floor(extract(epoch from now() - f.failing_since))::float8 as seconds,
            f.last_reason_code as "reasonCode", f.last_status_code as "statusCode"
       from destinations t left join destination_failures f on f.destination_id = t.id
      where (f.destination_id is not null or t.disabled_reason is not null) and t.tenant_id = $2
      order by t.id limit $3`,
    [afterSeconds, RESERVED_TENANT, MOST_DESTINATIONS],
  );
  return readingOf(rows.map(failingObservation), MOST_DESTINATIONS);
}

/** Reads the destinations of tenants that StreamForge has disabled and nobody has enabled. */
export async function readDisabledDestinations(db: Db): Promise<WatchReading> {
  const { rows } = await db.query<{
    subject: string;
    tenantId: string;
    name: string;
    since: string;
    reason: string;
  }>(
    `select t.id as subject, t.tenant_id as "tenantId", ${NAME} as name, coalesce(t.disabled_at, t.updated_at) as since,
            t.disabled_reason as reason
       from destinations t where t.disabled_reason is not null and not t.enabled and t.tenant_id <> $1
      order by t.id limit $2`,
    [RESERVED_TENANT, MOST_DESTINATIONS],
  );
  const observations = rows.map(({ reason, ...about }): Observation => ({
    ...about,
    verdict: 'holds',
    figures: { reason },
  }));
  return readingOf(observations, MOST_DESTINATIONS);
}

function failingObservation({ isRaising, seconds, reasonCode, statusCode, ...about }: FailingRow): Observation {
  return {
    ...about,
    verdict: isRaising ? 'holds' : 'between',
    figures: { failingSeconds: seconds, reasonCode, statusCode },
  };
}
