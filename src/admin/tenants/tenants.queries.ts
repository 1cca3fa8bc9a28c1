import type { TenantIds } from '../../access/acting-operator';
import type { TenantRow } from '../../access/identity/directory.queries';
import type { Db } from '../../db/pool';

/** A registered tenant, as operators see it. */
export interface RegisteredTenant extends TenantRow {
  /** Its share of claims beside other tenants, 1 to 100. */
  weight: number;
  metadata: Record<string, unknown>;
  createdAt: string;
  updatedAt: string;
}

export type NewTenant = Omit<RegisteredTenant, 'createdAt' | 'updatedAt'>;

/** The fields to change. Undefined leaves a field as it is; null resets it to the default of the installation. */
export type TenantChange = Partial<Omit<NewTenant, 'id'>>;

const COLUMNS = `
  id, name, status, events_per_minute as "eventsPerMinute", bytes_per_minute::double precision as "bytesPerMinute",
  weight, redact, metadata, created_at as "createdAt", updated_at as "updatedAt"`;

/** Returns undefined when a tenant with this id exists. */
export async function insertTenant(db: Db, tenant: NewTenant): Promise<RegisteredTenant | undefined> {
  const { id, name, status, eventsPerMinute, bytesPerMinute, weight, redact, metadata } = tenant;
  const { rows } = await db.query<RegisteredTenant>(
    `insert into tenants (id, name, status, events_per_minute, bytes_per_minute, metadata, redact, weight)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do nothing returning ${COLUMNS}`,
    [id, name, status, eventsPerMinute, bytesPerMinute, metadata, redact, weight],
  );
  return rows[0];
}

export async function findTenant(db: Db, id: string): Promise<RegisteredTenant | undefined> {
  const { rows } = await db.query<RegisteredTenant>(`select ${COLUMNS} from tenants where id = $1`, [id]);
  return rows[0];
}

/** Lists tenants with an id after `after`, in the order of their ids. */
export async function listTenants(
  db: Db,
  page: { after: string | null; status: string | null; ids: TenantIds; limit: number },
): Promise<RegisteredTenant[]> {
  const { rows } = await db.query<RegisteredTenant>(
    `select ${COLUMNS} from tenants
      where ($1::text is null or id > $1) and ($2::text is null or status = $2) and ($3::text[] is null or id = any ($3))
      order by id limit $4`,
    [page.after, page.status, page.ids, page.limit],
  );
  return rows;
}

/** Returns undefined when there is no such tenant. */
export async function changeTenant(db: Db, id: string, change: TenantChange): Promise<RegisteredTenant | undefined> {
  const { name, status, eventsPerMinute, bytesPerMinute, weight, redact, metadata } = change;
  const { rows } = await db.query<RegisteredTenant>(
    `update tenants
        set name = coalesce($2, name), status = coalesce($3, status),
            events_per_minute = case when $4 then $5 else events_per_minute end,
            bytes_per_minute = case when $6 then $7 else bytes_per_minute end,
            metadata = coalesce($8, metadata), redact = coalesce($9, redact), weight = coalesce($10, weight),
            updated_at = now()
      where id = $1 returning ${COLUMNS}`,
    [
      id,
      name ?? null,
      status ?? null,
      eventsPerMinute !== undefined,
      eventsPerMinute ?? null,
      bytesPerMinute !== undefined,
      bytesPerMinute ?? null,
      metadata ?? null,
      redact ?? null,
      weight ?? null,
    ],
  );
  return rows[0];
}
