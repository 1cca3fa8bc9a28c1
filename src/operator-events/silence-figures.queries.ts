import type { Db } from '../db/pool';
import type { Observation } from './condition';

const MOST_SOURCES = 10_000;
/** As many samples as are kept of a source (src/sources/inspector). */
const SAMPLES = 50;

/**
 * Reads the sources from which nothing has come for longer than `expectEverySeconds`. Whatever was verified counts, stored or
 * not. The time begins again when a source is changed, and, if PostgreSQL has lost its samples in a crash, with its start.
 */
export async function readSilentSources(db: Db): Promise<Observation[]> {
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
        select max(to_timestamp(('x' || lpad(left(replace(id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0))
                 filter (where sample->>'result' <> 'unverified') as at,
               count(*) as samples
          from (select id, sample from source_samples where source_id = s.id order by id desc limit $1) newest
      ) last
      cross join lateral (
        select greatest(last.at, s.updated_at, case when last.samples = 0 then pg_postmaster_start_time() end) as at
      ) heard
      where s.expect_every_seconds is not null and s.status = 'active'
        and heard.at < now() - make_interval(secs => s.expect_every_seconds)
      order by s.id limit $2`,
    [SAMPLES, MOST_SOURCES],
  );
  return rows.map(({ expectEverySeconds, silentSeconds, ...about }) => ({
    ...about,
    verdict: 'holds',
    figures: { expectEverySeconds, silentSeconds },
  }));
}
