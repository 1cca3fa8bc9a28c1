import type { Pool } from 'pg';

export interface TenantFields {
  status?: 'active' | 'suspended';
  eventsPerMinute?: number | null;
  bytesPerMinute?: number | null;
}

/** Stores a tenant, or changes the fields of a stored one. A process heeds it within half a second. */
export async function givenTenant(pool: Pool, id: string, fields: TenantFields): Promise<void> {
  await pool.query(`insert into tenants (id, name) values ($1, $1) on conflict (id) do nothing`, [id]);
  const columns = {
    status: fields.status,
    events_per_minute: fields.eventsPerMinute,
    bytes_per_minute: fields.bytesPerMinute,
  };
  for (const [column, value] of Object.entries(columns)) {
    if (value !== undefined) await pool.query(`update tenants set ${column} = $2 where id = $1`, [id, value]);
  }
}
