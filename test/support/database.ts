import { randomBytes } from 'node:crypto';
import { Client, type Pool } from 'pg';
import { migrate } from '../../src/db/migrations/migrate';
import { createPool } from '../../src/db/pool';

const TEMPLATE = 'streamforge_template';

export interface TestDatabase {
  url: string;
  pool: Pool;
  /** Closes the pool and drops the database. */
  drop(): Promise<void>;
}

function given(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests with npm test`);
  return value;
}

function urlOf(database: string): string {
  const url = new URL(given('TEST_DATABASE_URL'));
  url.pathname = `/${database}`;
  return url.href;
}

async function administer(statement: string): Promise<void> {
  const client = new Client({ connectionString: given('TEST_DATABASE_URL') });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Migrates one database per run. Test files get copies of it. */
export async function prepareTemplate(): Promise<void> {
  await administer(`drop database if exists ${TEMPLATE}`);
  await administer(`create database ${TEMPLATE}`);
  await migrate(urlOf(TEMPLATE));
}

const NOTHING_TO_COUNT = `update chore_progress set position = floor(extract(epoch from now()) / 10)::bigint * 10 where name = 'usage'`;

/** Creates an empty database with the current schema, or with no schema when `migrated` is false. */
export async function createTestDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  const name = `streamforge_test_${randomBytes(6).toString('hex')}`;
  await administer(`create database ${name} template ${migrated ? TEMPLATE : 'template0'}`);
  const url = urlOf(name);
  const pool = createPool(url, 'streamforge test');
  // The template has the partitions of the day on which the run began. A run may pass midnight.
  if (migrated) await pool.query('select ensure_partitions()');
  // Nor has a copy any events of the time since then, which usage would leave out as too many to count.
  if (migrated) await pool.query(NOTHING_TO_COUNT);
  return {
    url,
    pool,
    drop: async () => {
      await pool.end();
      await administer(`drop database ${name} with (force)`);
    },
  };
}
