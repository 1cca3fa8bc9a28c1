import type { Db } from '../db/pool';
import { RESERVED_TENANT } from '../event/tenant';
import { MOST_PRODUCERS, type Producer } from './silence-rule';

const msOf = (instant: string): string => `(extract(epoch from ${instant}) * 1000)::float8`;

/** A suspended tenant cannot send anything, and nothing is expected of what StreamForge itself tells. */
const isOfSender = (tenantId: string): string =>
  `${tenantId} <> '${RESERVED_TENANT}' and coalesce(t.status, 'active') = 'active'`;

/**
 * Reads the active sources of which something is expected and that may be silent, or that are learned from. What was taken
 * counts as heard, stored or not: of a source, the newest such sample is kept (src/sources/inspector). If PostgreSQL has lost
 * the samples in a crash, a silence begins with its start.
 * @param raised the sources that are said to be silent are read in any case
 */
export async function readSourceProducers(db: Db, raised: readonly string[]): Promise<Producer[]> {
  const { rows } = await db.query<Producer>(
    `select s.id as subject, s.tenant_id as "tenantId", left(s.name, 200) as name,
            s.expect_every_seconds as "expectEverySeconds", s.active_hours as "activeHours",
            s.learn_silence as "learnSilence", ${msOf('last.at')} as "heardMs", ${msOf('s.updated_at')} as "changedMs",
            ${msOf('began.at')} as "beganMs", ${msOf('now()')} as "nowMs"
       from sources s
       left join tenants t on t.id = s.tenant_id
      cross join lateral (
        select to_timestamp(('x' || lpad(left(replace((
                 select id from source_samples
                  where source_id = s.id and sample->>'result' not in ('unverified', 'rejected', 'failed')
                  order by id desc limit 1)::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0) as at,
               exists (select from source_samples where source_id = s.id) as "hasSamples"
      ) last
      cross join lateral (
        select greatest(s.updated_at, t.updated_at,
                        case when not last."hasSamples" then pg_postmaster_start_time() end) as at
      ) began
      where (s.expect_every_seconds is not null or s.learn_silence) and s.status = 'active'
        and ${isOfSender('s.tenant_id')}
        and (s.learn_silence or s.id::text = any ($2)
             or greatest(last.at, began.at) < now() - make_interval(secs => s.expect_every_seconds))
      order by s.learn_silence desc, s.id::text = any ($2) desc, s.id limit $1`,
    [MOST_PRODUCERS, raised],
  );
  return rows;
}

/**
 * Reads the types of which something is expected. Their events are those of the slices of usage, which are some seconds
 * old, and kept for a quarter of an hour. What was heard before is remembered.
 * @param raised the types that are said to be silent are read in any case
 */
export async function readTypeProducers(db: Db, raised: readonly string[]): Promise<Producer[]> {
  const { rows } = await db.query<Producer>(
    `select x.tenant_id || '/' || x.event_type as subject, x.tenant_id as "tenantId", left(x.event_type, 200) as name,
            x.expect_every_seconds as "expectEverySeconds", x.active_hours as "activeHours",
            x.learn_silence as "learnSilence",
            ${msOf(`greatest(h.heard_at, newest.at + interval '10 seconds')`)} as "heardMs",
            ${msOf('x.updated_at')} as "changedMs", ${msOf('greatest(x.updated_at, t.updated_at)')} as "beganMs",
            p.position::float8 * 1000 as "nowMs"
       from silence_expectations x
       join chore_progress p on p.name = 'usage'
       left join tenants t on t.id = x.tenant_id
       left join silence_heard h on h.subject = x.tenant_id || '/' || x.event_type
       left join (select tenant_id, type, max(at) as at from usage_slices where events > 0 group by 1, 2) newest
              on newest.tenant_id = x.tenant_id and newest.type = x.event_type
      where ${isOfSender('x.tenant_id')}
      order by x.learn_silence desc, x.tenant_id || '/' || x.event_type = any ($2) desc, x.tenant_id, x.event_type
      limit $1`,
    [MOST_PRODUCERS, raised],
  );
  return rows;
}
