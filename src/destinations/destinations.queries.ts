import type { Db } from '../db/pool';
import type { SealedDestination } from './destination';

const COLUMNS = `
  id, tenant_id as "tenantId", url, event_types as "eventTypes", enabled, disabled_reason as "disabledReason", disabled_at as "disabledAt",
  description, timeout_ms as "timeoutMs", max_in_flight as "maxInFlight", secret, previous_secret as "previousSecret",
  previous_secret_until as "previousSecretUntil", revision, created_at as "createdAt", updated_at as "updatedAt"`;

/** Returns the number that every change of a destination raises; a bigint, as text. */
export async function readDestinationsVersion(db: Db): Promise<string> {
  const { rows } = await db.query<{ version: string }>({
    name: 'read-destinations-version',
    text: 'select version from destinations_version',
  });
  return (rows[0] as { version: string }).version;
}

export async function readEnabledDestinations(db: Db, limit: number): Promise<SealedDestination[]> {
  const { rows } = await db.query<SealedDestination>(
    `select ${COLUMNS} from destinations where enabled order by id limit $1`,
    [limit],
  );
  return rows;
}

/** Disables a destination on behalf of StreamForge. Returns false when it was disabled or deleted already. */
export async function disableDestination(db: Db, id: string, reason: string): Promise<boolean> {
  const { rowCount } = await db.query(
    'update destinations set enabled = false, disabled_reason = $2 where id = $1 and enabled',
    [id, reason],
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

export type NewDestination = Pick<
  SealedDestination,
  'id' | 'tenantId' | 'url' | 'eventTypes' | 'enabled' | 'description' | 'timeoutMs' | 'maxInFlight' | 'secret'
>;

export async function insertDestination(db: Db, fresh: NewDestination): Promise<SealedDestination> {
  const { rows } = await db.query<SealedDestination>(
    `insert into destinations (id, tenant_id, url, event_types, enabled, description, timeout_ms, max_in_flight, secret)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning ${COLUMNS}`,
    [
      fresh.id,
      fresh.tenantId,
      fresh.url,
      fresh.eventTypes,
      fresh.enabled,
      fresh.description,
      fresh.timeoutMs,
      fresh.maxInFlight,
      fresh.secret,
    ],
  );
  return rows[0] as SealedDestination;
}

export type DestinationChange = Partial<
  Pick<SealedDestination, 'url' | 'eventTypes' | 'enabled' | 'description' | 'timeoutMs' | 'maxInFlight'>
>;

/**
 * Changes the given fields. Setting `enabled` clears the reason for which StreamForge disabled the destination. Returns
 * undefined when there is no such destination.
 */
export async function changeDestination(
  db: Db,
  id: string,
  change: DestinationChange,
): Promise<SealedDestination | undefined> {
  const { rows } = await db.query<SealedDestination>(
    `update destinations
        set url = coalesce($2, url), event_types = coalesce($3, event_types), enabled = coalesce($4, enabled),
            description = coalesce($5, description), timeout_ms = coalesce($6, timeout_ms),
            max_in_flight = coalesce($7, max_in_flight),
            disabled_reason = case when $4 is null then disabled_reason end
      where id = $1 returning ${COLUMNS}`,
    [
      id,
      change.url ?? null,
      change.eventTypes ?? null,
      change.enabled ?? null,
      change.description ?? null,
      change.timeoutMs ?? null,
      change.maxInFlight ?? null,
    ],
  );
  return rows[0];
}

/** Makes the current secret the previous one for `overlapSeconds`. The secret of an earlier rotation expires now. */
export async function rotateSecret(
  db: Db,
  id: string,
  { secret, overlapSeconds }: { secret: Buffer; overlapSeconds: number },
): Promise<SealedDestination | undefined> {
  const { rows } = await db.query<SealedDestination>(
    `update destinations
        set previous_secret = case when $3 > 0 then secret end,
            previous_secret_until = case when $3 > 0 then now() + make_interval(secs => $3) end,
            secret = $2
      where id = $1 returning ${COLUMNS}`,
    [id, secret, overlapSeconds],
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
  return (rows[0] as { key: Buffer }).key;
}
