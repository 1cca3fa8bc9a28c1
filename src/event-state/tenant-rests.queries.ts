import type { Db } from '../db/pool';

/** The events of a tenant whose handlers fail wait for so long, while others have work. */
export interface TenantRest {
  tenantId: string;
  restMs: number;
}

/**
 * Rests of several workers do not add up: the one that ends last counts, unless it was noted before PostgreSQL's clock was set
 * back. A rest has a few seconds.
 */
export async function noteTenantRests(db: Db, rests: readonly TenantRest[]): Promise<void> {
  await db.query({
    name: 'note-tenant-rests',
    text: `
      insert into tenant_rests (tenant_id, rests_until)
      select tenant_id, now() + make_interval(secs => rest_ms / 1000)
        from unnest($1::text[], $2::double precision[]) asked (tenant_id, rest_ms) order by tenant_id
      on conflict (tenant_id) do update set rests_until = excluded.rests_until
       where excluded.rests_until > tenant_rests.rests_until or tenant_rests.rests_until > now() + interval '1 minute'`,
    values: [rests.map(({ tenantId }) => tenantId), rests.map(({ restMs }) => restMs)],
  });
}

/** Deletes rests that ended a minute ago, of tenants that are no longer in trouble. */
export async function forgetTenantRests(db: Db): Promise<void> {
  await db.query(`
    delete from tenant_rests where tenant_id = any (array(
      select tenant_id from tenant_rests where rests_until < now() - interval '1 minute'
                                           or rests_until > now() + interval '1 minute'
       order by tenant_id limit 1000 for update skip locked))`);
}
