import type { Db } from '../db/pool';
import { readingOf, type Observation, type WatchReading } from './condition';

const MOST_SOURCES = 10_000;
const MOST_TENANTS = 1_000;
/** Of the samples of a source (src/sources/inspector), this many are looked at. */
const NEWEST = 20;
/** The condition has ended when this many of the newest requests were verified. */
const NEWEST_FINE = 5;
const RAISED_BY = 5;
const RECENT_MINUTES = 15;

interface SourceRow {
  subject: string;
  tenantId: string;
  name: string;
  since: string;
  failed: number;
  seen: number;
  isRecent: boolean;
  code: string | null;
}

/**
 * Reads the sources whose newest requests were not verified. A sample is parsed to look into it, so only the few newest of
 * each source are looked into first. PostgreSQL forgets samples when it crashes, which says nothing about a source: then a
 * raised condition stays.
 */
export async function readFailingVerifications(db: Db): Promise<WatchReading> {
  const { rows } = await db.query<SourceRow & { isFine: boolean }>(
    `with candidate as materialized (
       select id, tenant_id, name from sources s
        where status = 'active'
          and (exists (select from (select sample from source_samples where source_id = s.id order by id desc limit $2) newest
                        where sample->>'result' = 'unverified')
               or exists (select from operator_conditions c
                           where c.kind = 'source.verification-failing' and c.subject = s.id::text))
        order by id limit $4
     )
     select s.id as subject, s.tenant_id as "tenantId", left(s.name, 200) as name, coalesce(v.since, now()) as since,
            v.failed, v.seen, coalesce(v.until > now() - make_interval(mins => $3), false) as "isRecent", v.code,
            v.newest_failed = 0 and v.seen > 0 as "isFine"
       from candidate s
      cross join lateral (
        select count(*)::integer as seen, (count(*) filter (where is_failed))::integer as failed,
               count(*) filter (where is_failed and place <= $2) as newest_failed,
               min(at) filter (where is_failed) as since, max(at) filter (where is_failed) as until,
               min(code) filter (where is_failed) as code
          from (select sample->>'result' = 'unverified' as is_failed, sample->>'code' as code,
                       row_number() over (order by id desc) as place,
                       to_timestamp(('x' || lpad(left(replace(id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0)
                         as at
                  from (select id, sample from source_samples where source_id = s.id order by id desc limit $1) newest
               ) judged
      ) v`,
    [NEWEST, NEWEST_FINE, RECENT_MINUTES, MOST_SOURCES],
  );
  const failing = rows.filter(({ isFine }) => !isFine);
  const observations = failing.map(observationOfSource);
  return { observations, isCut: rows.length >= MOST_SOURCES };
}

function observationOfSource({ subject, tenantId, name, since, failed, seen, isRecent, code }: SourceRow): Observation {
  return {
    subject,
    tenantId,
    name,
    since,
    verdict: isRecent && failed >= RAISED_BY && failed * 2 >= seen ? 'holds' : 'between',
    figures: { unverified: failed, ofNewest: seen, code },
  };
}

/** A tenant whose limit was used up within this time has reached it. */
const REACHED_SECONDS = 60;

/**
 * Reads the tenants that were refused because their limit per minute was used up, and were so a short time ago.
 * @param pauseSeconds after so long without a refusal, a tenant is within its limits again
 */
export async function readReachedQuotas(db: Db, pauseSeconds: number): Promise<WatchReading> {
  const { rows } = await db.query<{ tenantId: string; measure: string; since: string; ageSeconds: number }>(
    `select tenant_id as "tenantId", measure, since, extract(epoch from now() - refused_at)::float8 as "ageSeconds"
       from quota_refusals where refused_at > now() - make_interval(secs => $1)
      order by tenant_id, measure limit $2`,
    [pauseSeconds, MOST_TENANTS],
  );
  const observations = rows.map(({ tenantId, measure, since, ageSeconds }): Observation => ({
    subject: `${tenantId}/${measure}`,
    tenantId,
    name: measure,
    since,
    verdict: ageSeconds <= REACHED_SECONDS ? 'holds' : 'between',
    figures: { limitOf: `${measure} per minute` },
  }));
  return readingOf(observations, MOST_TENANTS);
}

/** Forgets the refusals of tenants that have not been refused for a day. */
export async function forgetQuotaRefusals(db: Db): Promise<void> {
  await db.query(
    `delete from quota_refusals where (tenant_id, measure) in (
       select tenant_id, measure from quota_refusals where refused_at < now() - interval '24 hours'
        limit $1 for update skip locked)`,
    [MOST_TENANTS],
  );
}
