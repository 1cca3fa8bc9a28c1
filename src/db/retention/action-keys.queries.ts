import type { Db } from '../pool';

/**
 * Forgets the idempotency keys of admin actions that were recorded before the retention, up to `limit`. Returns their
 * number. The entries of the audit trail remain. Their ids are UUIDv7, so id order is time order.
 */
export async function forgetActionKeys(
  db: Db,
  { retentionDays, limit }: { retentionDays: number; limit: number },
): Promise<number> {
  const { rowCount } = await db.query(
    `update admin_audit set key_digest = null, fingerprint = null
      where id = any (array(
        select id from admin_audit
         where key_digest is not null and id < uuid_v7_floor(now() - make_interval(hours => 24 * $1))
         order by id limit $2 for update skip locked))`,
    [retentionDays, limit],
  );
  return rowCount ?? 0;
}
