import { RESERVED_TENANT } from '../../event/tenant';
import { timeOfDayMs } from '../../event/time-of-day';
import { uuidV7Floor } from '../../event/uuid-v7';
import type { Db } from '../pool';

export interface ServerFacts {
  version: string;
  fsync: string;
  synchronousCommit: string;
  encoding: string;
  maxConnections: number;
  connections: number;
  /** Whether the account may do anything on the server. */
  isSuperuser: boolean;
}

export async function readServerFacts(db: Db): Promise<ServerFacts> {
  const { rows } = await db.query<ServerFacts>(
    `select current_setting('server_version') as version, current_setting('fsync') as fsync,
            current_setting('synchronous_commit') as "synchronousCommit",
            (select pg_encoding_to_char(encoding) from pg_database where datname = current_database()) as encoding,
            current_setting('max_connections')::int as "maxConnections",
            (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as connections,
            current_setting('is_superuser') = 'on' as "isSuperuser"`,
  );
  return rows[0] as ServerFacts;
}

export interface StoredFacts {
  failedEntries: number;
  /** Whether a default partition contains rows. */
  strays: boolean;
  partitionForTomorrow: boolean;
  /** For how many of the coming 14 days the outbox has a partition. Publishers make those of a week. */
  daysAhead: number;
}

/** Needs the schema. The count of failed entries stops at 1,000. */
export async function readStoredFacts(db: Db): Promise<StoredFacts> {
  const { rows } = await db.query<StoredFacts>(
    `select (select count(*)::int from (select from outbox where status = 'FAILED' limit 1000) f) as "failedEntries",
            exists (select from events_default) or exists (select from outbox_default) as strays,
            to_regclass('outbox' || to_char(now() at time zone 'UTC' + interval '1 day', '"_d"YYYYMMDD')) is not null
              as "partitionForTomorrow",
            (select count(*)::int from generate_series(1, 14) n
              where to_regclass('outbox' || to_char(now() at time zone 'UTC' + n * interval '24 hours', '"_d"YYYYMMDD'))
                    is not null) as "daysAhead"`,
  );
  return rows[0] as StoredFacts;
}

/** What others than StreamForge have under its reserved tenant. A build made it that did not reserve it. */
export interface ReservedTenantFacts {
  sources: number;
  keys: number;
  /** Whether producers have sent events as this tenant in the last 30 days. */
  isUsed: boolean;
}

const USED_WITHIN_MS = 30 * 86_400_000;
/** Of that time, the oldest events are looked at: those of producers end with the upgrade. */
const MOST_EVENTS = 1_000;

/** Needs the schema. */
export async function readReservedTenantFacts(db: Db): Promise<ReservedTenantFacts> {
  const { rows } = await db.query<ReservedTenantFacts>(
    `select (select count(*)::int from sources where tenant_id = $1) as sources,
            (select count(*)::int from api_keys where tenant_id = $1 and revoked_at is null) as keys,
            exists (select from (select source from events where tenant_id = $1 and id >= $2 order by id limit $3) e
                     where source <> $1) as "isUsed"`,
    [RESERVED_TENANT, uuidV7Floor(timeOfDayMs() - USED_WITHIN_MS), MOST_EVENTS],
  );
  return rows[0] as ReservedTenantFacts;
}
