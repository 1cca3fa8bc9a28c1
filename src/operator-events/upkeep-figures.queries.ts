import type { Db } from '../db/pool';
import { readingOf, type Observation, type WatchReading } from './condition';

const MOST_KEYS = 1_000;
/** A key that lives shortly anyway is told in the last part of its life only. */
const PART_OF_LIFE = 1 / 4;

/**
 * Reads the API keys and the tokens of operators that expire within `days`, apart from keys that were rotated: their time to
 * expire was chosen then.
 */
export async function readExpiringKeys(db: Db, days: number): Promise<WatchReading> {
  const { rows } = await db.query<{
    subject: string;
    tenantId: string | null;
    name: string;
    kind: 'API key' | 'operator token';
    since: string;
    expiresAt: string;
  }>(
    `select id as subject, tenant_id as "tenantId", left(name, 200) as name, kind, now() as since, expires_at as "expiresAt"
       from (select id, tenant_id, name, 'API key' as kind, created_at, expires_at from api_keys
              where revoked_at is null and not rotated
              union all
             select id, null, name, 'operator token', created_at, expires_at from operators where revoked_at is null) k
      where expires_at > now()
        and expires_at - now() < least(make_interval(hours => 24 * $1), (expires_at - created_at) * $2)
      order by expires_at, id limit $3`,
    [days, PART_OF_LIFE, MOST_KEYS],
  );
  const observations = rows.map(({ kind, expiresAt, ...about }): Observation => ({
    ...about,
    verdict: 'holds',
    figures: { what: kind, expiresAt },
  }));
  return readingOf(observations, MOST_KEYS);
}

/** Reads which tables have no partition for now or tomorrow. Publishers make them a week or more ahead. */
export async function readMissingPartitions(db: Db): Promise<WatchReading> {
  const { rows } = await db.query<{ tables: string; isNear: boolean; now: string }>(
    `select string_agg(distinct m.parent, ', ' order by m.parent) as tables, bool_or(days < 2) as "isNear", now()
       from missing_partitions() m
       join unnest(array[0, 1, 2]) days
         on m.name in (m.parent || to_char(now() at time zone 'UTC' + make_interval(hours => 24 * days), '"_d"YYYYMMDD'),
                       m.parent || to_char(now() at time zone 'UTC' + make_interval(hours => 24 * days), '"_y"IYYY"w"IW'))
      having count(*) > 0`,
  );
  const observations = rows.map(({ tables, isNear, now }): Observation => ({
    subject: '',
    tenantId: null,
    name: null,
    since: now,
    verdict: isNear ? 'holds' : 'between',
    figures: { tables },
  }));
  return readingOf(observations);
}

const FULL_PERCENT = 85;
const FREE_PERCENT = 80;
const BYTES_OF_GIGABYTE = 1e9;

/** Reads how large the database is. PostgreSQL does not know how large its disk is, so operators say what it may use. */
export async function readFillingStorage(db: Db, gigabytes: number | undefined): Promise<WatchReading> {
  if (gigabytes === undefined) return readingOf([]);
  const { rows } = await db.query<{ bytes: number; now: string }>(
    'select pg_database_size(current_database())::float8 as bytes, now()',
  );
  const observations = rows.flatMap(({ bytes, now }): Observation[] => {
    const percent = Math.floor((bytes / (gigabytes * BYTES_OF_GIGABYTE)) * 100);
    if (percent < FREE_PERCENT) return [];
    const figures = { usedBytes: bytes, ofGigabytes: gigabytes, percent };
    const verdict = percent >= FULL_PERCENT ? 'holds' : 'between';
    return [{ subject: '', tenantId: null, name: null, since: now, verdict, figures }];
  });
  return readingOf(observations);
}
