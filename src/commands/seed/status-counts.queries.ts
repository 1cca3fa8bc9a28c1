import type { Db } from '../../db/pool';

export async function countByStatus(
  db: Db,
  tenantId: string,
): Promise<{ type: string; status: string; events: number }[]> {
  const { rows } = await db.query<{ type: string; status: string; events: number }>(
    `select e.type, s.status, count(*)::int as events
       from events e join event_status s on s.event_id = e.id
      where e.tenant_id = $1 group by 1, 2 order by 1, 2`,
    [tenantId],
  );
  return rows;
}
