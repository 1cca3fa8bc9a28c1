import type { QueryRunner } from 'typeorm';

/** Names of the migrations that this database has, oldest first. Makes nothing, not even the table that lists them. */
export async function appliedMigrations(runner: QueryRunner): Promise<string[]> {
  const [{ exists }] = (await runner.query(`select to_regclass('schema_migrations') is not null as exists`)) as [
    { exists: boolean },
  ];
  if (!exists) return [];
  const rows = (await runner.query('select name from schema_migrations order by id')) as { name: string }[];
  return rows.map(({ name }) => name);
}
