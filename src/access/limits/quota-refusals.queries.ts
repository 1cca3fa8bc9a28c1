import type { Db } from '../../db/pool';
import type { Measure } from './meter';

/** After so long without a refusal, the next one begins anew. */
export const QUOTA_PAUSE_SECONDS = 300;

/** Records that a tenant was refused because a limit of its was used up. */
export async function recordQuotaRefusal(db: Db, tenantId: string, measure: Measure): Promise<void> {
  await db.query(
    `insert into quota_refusals as q (tenant_id, measure) values ($1, $2)
     on conflict (tenant_id, measure) do update
           set since = case when q.refused_at < now() - make_interval(secs => $3) then now() else q.since end,
               refused_at = now()`,
    [tenantId, measure, QUOTA_PAUSE_SECONDS],
  );
}
