import type { Pool } from 'pg';

/** Returns the names of all tables that hold rows, partitions included. */
async function tablesOf(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') order by 1`,
  );
  return rows.map(({ name }) => name);
}

/**
 * Returns the tables in which a text occurs, with the number of rows, as a search through a dump of the database would
 * find it. Bytes are searched for those of the text.
 */
export async function tablesWith(pool: Pool, text: string): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  const hex = Buffer.from(text).toString('hex');
  for (const table of await tablesOf(pool)) {
    const { rows } = await pool.query<{ n: number }>(
      `select count(*)::integer as n from ${table} t where position($1 in t::text) > 0 or position($2 in t::text) > 0`,
      [text, hex],
    );
    const { n = 0 } = rows[0] ?? {};
    if (n > 0) found[table.replace(/_y\d{4}w\d\d$|_d\d{8}$|_default$/, '').replace('public.', '')] = n;
  }
  return found;
}

/** Returns the columns in whose statistics a text or its bytes occur: PostgreSQL keeps values of columns in them. */
export async function statisticsWith(pool: Pool, text: string): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select distinct regexp_replace(tablename, '_(y\\d{4}w\\d\\d|d\\d{8}|default)$', '') || '.' || attname as name
       from pg_stats, concat(most_common_vals::text, histogram_bounds::text) as kept
      where schemaname = 'public' and (position($1 in kept) > 0 or position($2 in kept) > 0) order by 1`,
    [text, Buffer.from(text).toString('hex')],
  );
  return rows.map(({ name }) => name);
}
