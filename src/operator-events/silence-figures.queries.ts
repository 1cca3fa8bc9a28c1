import type { Db } from '../db/pool';
import { readingOf, type Observation, type WatchReading } from './condition';

const MOST_SOURCES = 10_000;

/**
 * Reads the sources from which nothing has come for longer than `expectEverySeconds`. Whatever was verified counts, stored or
 * not: of a source, the newest such sample is kept (src/sources/inspector). The time begins again when a source is changed, and, if PostgreSQL has lost its samples in a crash, with its start.
 */
export async function readSilentSources(db: Db): Promise<WatchReading> {
  const { rows } = await db.query<{
    subject: string;
    tenantId: string;
    name: string;
    since: string;
    expectEverySeconds: number;
    silentSeconds: number;
  }>(
    `select s.id as subject, s.tenant_id as "tenantId", left(s.name, 200) as name, heard.at as since,
            s.expect_every_seconds as "expectEverySeconds",
            floor(extract(epoch from now() - heard.at))::float8 as "silentSeconds"
       from sources s
      cross join lateral (
        select to_timestamp(('x' || lpad(left(replace((
                 select id from source_samples where source_id = s.id and sample->>'result' <> 'unverified'
                  order by id desc limit 1)::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0) as at,
               exists (select from source_samples where source_id = s.id) as "hasSamples"
      ) last
      cross join lateral (
        select greatest(last.at, s.updated_at, case when not last."hasSamples" then pg_postmaster_start_time() end) as at
      ) heard
      where s.expect_every_seconds is not null and s.status = 'active'
        and heard.at < now() - make_interval(secs => s.expect_every_seconds)
      order by s.id limit $1`,
    [MOST_SOURCES],
  );
  const observations = rows.map(({ expectEverySeconds, silentSeconds, ...about }): Observation => ({
    ...about,
    verdict: 'holds',
    figures: { expectEverySeconds, silentSeconds },
  }));
  return readingOf(observations, MOST_SOURCES);
}
