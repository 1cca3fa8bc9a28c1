import { Pool } from 'pg';
import { makeLate } from '../../../src/metric-rollup/make-late';
import { readRollupProgress } from '../../../src/metric-rollup/rollup.queries';
import { CHECKED_SECONDS } from '../../../src/metric-rollup/steps';
import { eventually } from '../../support/eventually';
import { rowsOf } from '../../support/processes/e2e-own-servers';
import { PAST_TENANT } from '../landscape/past';
import type { RolledUp } from './evidence';

const ROLLED_UP_WITHIN_MS = 60_000;
/** More than are checked. */
const ALL_SLICES = 10_000;

/**
 * Waits until the publishers have rolled up what has happened until now. Rows that were committed late are found within 15
 * minutes, each slice in its turn; nothing is written any more, so all of them are looked for at once, as the roll-up does.
 */
async function settleRollup(databaseUrl: string): Promise<void> {
  const pool = new Pool({ connectionString: databaseUrl, max: 1, options: '-c timezone=UTC' });
  pool.on('error', () => undefined);
  try {
    const { now } = await readRollupProgress(pool);
    await eventually(async () => {
      const { rolledTo } = await readRollupProgress(pool);
      if (rolledTo < now) throw new Error(`metrics are rolled up to ${now - rolledTo} s before everything was at rest`);
      const checked = { from: rolledTo - CHECKED_SECONDS, to: rolledTo };
      while (!(await makeLate(pool, [checked], ALL_SLICES)));
    }, ROLLED_UP_WITHIN_MS);
  } finally {
    await pool.end();
  }
}

/** Reads the sums of the roll-up. Destinations have their names, as in deliveries.queries.ts. */
export async function readRolledUp(url: string): Promise<RolledUp[]> {
  await settleRollup(url);
  return rowsOf<RolledUp>(
    url,
    `select r.measure, r.dimension, r.tenant_id as tenant, r.bucket, sum(r.count)::float8 as count,
            case when r.dimension = 'destination' then coalesce(split_part(t.url, '/', 4), '') else r.key end as key
       from metric_rollup r left join destinations t on r.dimension = 'destination' and t.id::text = r.key
      where r.tenant_id is distinct from '${PAST_TENANT}'
      group by 1, 2, 3, 4, 6`,
  );
}
