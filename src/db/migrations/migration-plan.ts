import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { closeDataSource, createDataSource } from './data-source';

export interface MigrationStatus {
  applied: string[];
  /** Known to this build, not applied to the database. */
  pending: string[];
  /** Applied to the database by a newer build and unknown to this one. Both builds may run at the same time. */
  fromNewerBuild: string[];
}

export interface PlannedMigration {
  name: string;
  statements: string[];
}

const nameOf = (migration: MigrationInterface): string => migration.name ?? migration.constructor.name;

/** Compares the migrations of this build with those applied to the database. Changes nothing. */
export async function readMigrationStatus(databaseUrl: string): Promise<MigrationStatus> {
  return withRunner(databaseUrl, async (dataSource, runner) => {
    const applied = await appliedMigrations(runner);
    const known = dataSource.migrations.map(nameOf);
    return {
      applied,
      pending: known.filter((name) => !applied.includes(name)),
      fromNewerBuild: applied.filter((name) => !known.includes(name)),
    };
  });
}

/**
 * Runs the pending migrations in one transaction, rolls it back, and returns their statements. Throws when a migration
 * would fail on this database. Until the rollback it holds their locks: on a busy database other sessions wait as long
 * as they would for the real run.
 */
export async function dryRunMigrations(databaseUrl: string): Promise<PlannedMigration[]> {
  return withRunner(databaseUrl, async (dataSource, runner) => {
    const applied = await appliedMigrations(runner);
    const pending = dataSource.migrations.filter((migration) => !applied.includes(nameOf(migration)));
    await runner.startTransaction();
    try {
      const plan: PlannedMigration[] = [];
      for (const migration of pending)
        plan.push({ name: nameOf(migration), statements: await recordUp(migration, runner) });
      return plan;
    } finally {
      await runner.rollbackTransaction();
    }
  });
}

/** Runs one migration and returns the text of its statements. */
async function recordUp(migration: MigrationInterface, runner: QueryRunner): Promise<string[]> {
  const statements: string[] = [];
  const recording = new Proxy(runner, {
    get: (target, property) => {
      if (property === 'query') {
        return (text: string, parameters?: unknown[]) => {
          statements.push(text.trim());
          return target.query(text, parameters);
        };
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  await migration.up(recording);
  return statements;
}

/** Returns the names of the applied migrations, oldest first. Creates nothing, not even the table that lists them. */
async function appliedMigrations(runner: QueryRunner): Promise<string[]> {
  const [{ exists }] = (await runner.query(`select to_regclass('schema_migrations') is not null as exists`)) as [
    { exists: boolean },
  ];
  if (!exists) return [];
  const rows = (await runner.query('select name from schema_migrations order by id')) as { name: string }[];
  return rows.map(({ name }) => name);
}

async function withRunner<T>(
  databaseUrl: string,
  work: (dataSource: DataSource, runner: QueryRunner) => Promise<T>,
): Promise<T> {
  const dataSource = await createDataSource(databaseUrl).initialize();
  const runner = dataSource.createQueryRunner();
  try {
    return await work(dataSource, runner);
  } finally {
    await runner.release();
    await closeDataSource(dataSource);
  }
}
