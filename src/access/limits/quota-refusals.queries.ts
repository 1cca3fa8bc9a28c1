import type { Db } from '../../db/pool';
import type { Measure } from './meter';

/**
 * Records that a tenant was refused because a limit of its was used up.
 * @param pauseSeconds after so long without a refusal, this one begins anew
 */
export async function recordQuotaRefusal(
  db: Db,
  tenantId: string,
  measure: Measure,
  pauseSeconds: number,
): Promise<void> {
  await db.query(
    `insert into quota_refusals as q (tenant_id, measure) values ($1, $2)
     on conflict (tenant_id, measure) do update
           set since = case when q.refused_at < now() - make_interval(secs => $3) then now() else q.since end,
               refused_at = now()`,
    [tenantId, measure, pauseSeconds],
  );
}
