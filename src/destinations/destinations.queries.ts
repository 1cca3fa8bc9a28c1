import type { Db } from '../db/pool';
import { areRestored, singleRow } from '../db/history/single-row';
import type { SealedDestination } from './destination';

const COLUMNS = `
  id, tenant_id as "tenantId", uid, url, event_types as "eventTypes", enabled, disabled_reason as "disabledReason",
  disabled_at as "disabledAt", paused_at as "pausedAt", description, filter, transform, format, headers, auth,
  retry_schedule as "retrySchedule", rate_per_second as "ratePerSecond", timeout_ms as "timeoutMs",
  max_in_flight as "maxInFlight", ordering, on_poison as "onPoison", latest_only as "latestOnly",
  min_severity as "minSeverity", quiet_hours as "quietHours", secret, previous_secret as "previousSecret",
  previous_secret_until as "previousSecretUntil", revision, created_at as "createdAt", updated_at as "updatedAt"`;

/** Returns the number that every change of a destination raises; a bigint, as text. */
export async function readDestinationsVersion(db: Db): Promise<string> {
  const { rows } = await db.query<{ version: string }>({
    name: 'read-destinations-version',
    text: `select version from destinations_version where ${areRestored('destinations')}`,
  });
  return singleRow(rows, 'destinations_version').version;
}

/** Disabled ones too, so that their events can be recorded as skipped. */
export async function readDestinations(db: Db, limit: number): Promise<SealedDestination[]> {
  const { rows } = await db.query<SealedDestination>(`select ${COLUMNS} from destinations order by id limit $1`, [
    limit,
  ]);
  return rows;
}

/**
 * Disables a destination on behalf of StreamForge, for what was seen of this revision. Returns false when it has been
 * changed, disabled or deleted since.
 */
export async function disableDestination(db: Db, id: string, revision: number, reason: string): Promise<boolean> {
  const { rowCount } = await db.query(
    'update destinations set enabled = false, disabled_reason = $2 where id = $1 and revision = $3 and enabled',
    [id, reason, revision],
  );
  return rowCount === 1;
}

/** Counts the destinations that StreamForge has disabled and nobody has enabled, changed in `enabled` or deleted since. */
export async function countDisabledDestinations(db: Db): Promise<number> {
  const { rows } = await db.query<{ disabled: number }>({
    name: 'count-disabled-destinations',
    text: 'select count(*)::integer as disabled from destinations where disabled_reason is not null',
  });
  return rows[0]?.disabled ?? 0;
}

export async function findDestination(db: Db, id: string): Promise<SealedDestination | undefined> {
  const { rows } = await db.query<SealedDestination>(`select ${COLUMNS} from destinations where id = $1`, [id]);
  return rows[0];
}

/** Locks a destination until the end of the transaction, so that changes of some of its fields do not undo each other. */
export async function lockDestination(db: Db, id: string): Promise<SealedDestination | undefined> {
  const { rows } = await db.query<SealedDestination>(`select ${COLUMNS} from destinations where id = $1 for update`, [
    id,
  ]);
  return rows[0];
}

export async function findDestinationByUid(
  db: Db,
  tenantId: string,
  uid: string,
): Promise<SealedDestination | undefined> {
  const { rows } = await db.query<SealedDestination>(
    `select ${COLUMNS} from destinations where tenant_id = $1 and uid = $2`,
    [tenantId, uid],
  );
  return rows[0];
}

/** Returns destinations with an id below `before`, newest first: of one tenant, of several, or of all. */
export async function listDestinations(
  db: Db,
  page: {
    tenantId: string | null;
    tenantIds: readonly string[] | null;
    before: string | undefined;
    limit: number;
  },
): Promise<SealedDestination[]> {
  const { rows } = await db.query<SealedDestination>(
    `select ${COLUMNS} from destinations
      where ($1::text is null or tenant_id = $1) and ($2::uuid is null or id < $2)
        and ($4::text[] is null or tenant_id = any ($4))
      order by id desc limit $3`,
    [page.tenantId, page.before ?? null, page.limit, page.tenantIds],
  );
  return rows;
}

export interface DestinationCounts {
  ofTenant: number;
  ofInstallation: number;
}

/** Counts under a lock until the end of the transaction, so that two registrations cannot both take the last place. */
export async function countDestinations(db: Db, tenantId: string): Promise<DestinationCounts> {
  await db.query('select from destinations_version for update');
  const { rows } = await db.query<DestinationCounts>(
    `select count(*)::int as "ofInstallation", (count(*) filter (where tenant_id = $1))::int as "ofTenant"
       from destinations`,
    [tenantId],
  );
  return rows[0] as DestinationCounts;
}

/** What an operator decides of a destination. */
export type ReplacedDestination = Pick<
  SealedDestination,
  | 'url'
  | 'uid'
  | 'eventTypes'
  | 'enabled'
  | 'description'
  | 'filter'
  | 'transform'
  | 'format'
  | 'headers'
  | 'auth'
  | 'retrySchedule'
  | 'ratePerSecond'
  | 'timeoutMs'
  | 'maxInFlight'
  | 'ordering'
  | 'onPoison'
  | 'latestOnly'
  | 'minSeverity'
  | 'quietHours'
>;

export type NewDestination = ReplacedDestination & Pick<SealedDestination, 'id' | 'tenantId' | 'secret'>;

const valuesOf = (next: ReplacedDestination): unknown[] => [
  next.url,
  next.uid,
  next.eventTypes,
  next.enabled,
  next.description,
  next.filter === null ? null : JSON.stringify(next.filter),
  next.transform,
  next.format,
  next.headers,
  next.auth,
  next.retrySchedule,
  next.ratePerSecond,
  next.timeoutMs,
  next.maxInFlight,
  next.ordering,
  next.onPoison,
  next.latestOnly,
  next.minSeverity,
  next.quietHours === null ? null : JSON.stringify(next.quietHours),
];

export async function insertDestination(db: Db, fresh: NewDestination): Promise<SealedDestination> {
  const { rows } = await db.query<SealedDestination>(
    `insert into destinations (url, uid, event_types, enabled, description, filter, transform, format, headers, auth,
                               retry_schedule, rate_per_second, timeout_ms, max_in_flight, ordering, on_poison,
                               latest_only, min_severity, quiet_hours, id, tenant_id, secret)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
     returning ${COLUMNS}`,
    [...valuesOf(fresh), fresh.id, fresh.tenantId, fresh.secret],
  );
  return rows[0] as SealedDestination;
}

/**
 * Writes all fields that an operator decides. With `isSwitched`, clears the reason for which StreamForge disabled the
 * destination, and resumes one that is enabled. Returns undefined when there is no such destination.
 */
export async function replaceDestination(
  db: Db,
  id: string,
  next: ReplacedDestination,
  isSwitched: boolean,
): Promise<SealedDestination | undefined> {
  const { rows } = await db.query<SealedDestination>(
    `update destinations
        set url = $1, uid = $2, event_types = $3, enabled = $4, description = $5, filter = $6, transform = $7,
            format = $8, headers = $9, auth = $10, retry_schedule = $11, rate_per_second = $12, timeout_ms = $13,
            max_in_flight = $14, ordering = $15, on_poison = $16, latest_only = $17, min_severity = $18,
            quiet_hours = $19,
            disabled_reason = case when not $21 then disabled_reason end,
            paused_at = case when not ($21 and $4) then paused_at end
      where id = $20 returning ${COLUMNS}`,
    [...valuesOf(next), id, isSwitched],
  );
  return rows[0];
}

/**
 * Makes the current secret the previous one for `overlapSeconds`. The secret of an earlier rotation expires now. With
 * `keepPrevious`, it counts until its own end instead, if that is still to come, and the current one expires.
 */
export async function rotateSecret(
  db: Db,
  id: string,
  rotation: { secret: Buffer; overlapSeconds: number; keepPrevious?: boolean },
): Promise<SealedDestination | undefined> {
  const { rows } = await db.query<SealedDestination>(
    `update destinations
        set previous_secret = case when $4 and previous_secret_until > now() then previous_secret
                                   when $3 > 0 then secret end,
            previous_secret_until = case when $4 and previous_secret_until > now() then previous_secret_until
                                         when $3 > 0 then now() + make_interval(secs => $3) end,
            secret = $2
      where id = $1 returning ${COLUMNS}`,
    [id, rotation.secret, rotation.overlapSeconds, rotation.keepPrevious === true],
  );
  return rows[0];
}

/** Pauses or resumes a destination. Pausing it again keeps the time of the first pause. */
export async function pauseDestination(db: Db, id: string, paused: boolean): Promise<SealedDestination | undefined> {
  const { rows } = await db.query<SealedDestination>(
    `update destinations set paused_at = case when $2 then coalesce(paused_at, now()) end where id = $1
     returning ${COLUMNS}`,
    [id, paused],
  );
  return rows[0];
}

export async function deleteDestination(db: Db, id: string): Promise<boolean> {
  const { rowCount } = await db.query('delete from destinations where id = $1', [id]);
  return rowCount === 1;
}

/** Returns the key of the installation. Stores `fresh` as that key when there is none yet. */
export async function keepDestinationsKey(db: Db, fresh: Buffer): Promise<Buffer> {
  const { rows } = await db.query<{ key: Buffer }>(
    'update installation set destinations_key = coalesce(destinations_key, $1) returning destinations_key as key',
    [fresh],
  );
  return singleRow(rows, 'installation').key;
}
