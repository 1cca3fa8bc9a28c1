import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { Reporting1764400000000 } from '../../../migrations/1764400000000-reporting';
import { createDataSource } from '../../../src/db/migrations/data-source';
import { hasPendingMigrations, migrate, runPending } from '../../../src/db/migrations/migrate';
import { dryRunMigrations, readMigrationStatus } from '../../../src/db/migrations/migration-plan';
import { storeBatch } from '../../../src/ingest/store/store-batch';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { prepared } from '../../support/events';
import { eventually } from '../../support/eventually';
import { countRows, givenAttempt } from '../../support/rows';

describe('migrating an empty database', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase({ migrated: false });
  });
  afterAll(() => database.drop());

  it('reports pending migrations without changing anything', async () => {
    await expect(hasPendingMigrations(database.url)).resolves.toBe(true);
    await expect(hasPendingMigrations(database.url)).resolves.toBe(true);
    await expect(countRows(database.pool, `pg_class where relname = 'events'`)).resolves.toBe(0);
  });

  it('runs every migration once when several processes start together', async () => {
    const ran = await Promise.all([migrate(database.url), migrate(database.url), migrate(database.url)]);
    const names = ran.flat();
    expect(names.length).toBeGreaterThan(0);
    expect(ran.filter((its) => its.length > 0)).toHaveLength(1);
    await expect(countRows(database.pool, 'schema_migrations')).resolves.toBe(names.length);
    await expect(countRows(database.pool, 'installation')).resolves.toBe(1);
  });

  it('has nothing to do afterwards', async () => {
    await expect(hasPendingMigrations(database.url)).resolves.toBe(false);
    await expect(migrate(database.url)).resolves.toEqual([]);
  });

  it('can be undone completely and run again', async () => {
    const dataSource = await createDataSource(database.url).initialize();
    try {
      while (await countRows(database.pool, 'schema_migrations')) await dataSource.undoLastMigration();
    } finally {
      await dataSource.destroy();
    }
    const left = `(select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r','p','v','S')
                    and relname not like 'schema_migrations%'
                   union all select proname from pg_proc where pronamespace = 'public'::regnamespace) t`;
    await expect(countRows(database.pool, left)).resolves.toBe(0);
    await expect(countRows(database.pool, `pg_namespace where nspname = 'reporting'`)).resolves.toBe(0);
    await expect(hasPendingMigrations(database.url)).resolves.toBe(true);
    expect((await migrate(database.url)).length).toBeGreaterThan(0);
  });
});

describe('the schema', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  /** Returns the names of the partitions that hold rows of a table. */
  const partitionsWithRows = async (parent: string): Promise<string[]> => {
    const { rows } = await database.pool.query<{ name: string }>(
      `select distinct tableoid::regclass::text as name from ${parent} order by 1`,
    );
    return rows.map(({ name }) => name);
  };

  const ensurePartitions = async (): Promise<number | undefined> => {
    const { rows } = await database.pool.query<{ created: number }>('select ensure_partitions() as created');
    return rows[0]?.created;
  };

  it('has no foreign keys: each would cost a lock and a look-up per row on the hot path', async () => {
    await expect(countRows(database.pool, `pg_constraint where contype = 'f'`)).resolves.toBe(0);
  });

  it('has partitions for the coming weeks and days, so that no row reaches the default partitions', async () => {
    const { pool } = database;
    const event = prepared();
    await storeBatch(pool, [event]);
    await givenAttempt(pool, event.event);
    for (let weeks = 1; weeks <= 5; weeks++) {
      const id = `uuid_v7_floor(now() + ${weeks} * interval '7 days')`;
      await pool.query(
        `insert into events select (jsonb_populate_record(e, jsonb_build_object('id', ${id}))).* from events e
          where id = $1`,
        [event.event.id],
      );
      await pool.query(
        `insert into processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code,
                                          duration_ms, worker)
         values (${id}, 1, 1, 1, 'SUCCESS', 'PROCESSED', 0, 'test')`,
      );
    }
    for (let days = 1; days <= 8; days++) {
      await pool.query(
        `insert into outbox (event_id, destination, created_at) values ($1, 'main', now() + $2 * interval '1 day')`,
        [event.event.id, days],
      );
    }
    const expected: Record<string, number> = { events: 6, processing_attempts: 6, outbox: 9 };
    for (const [parent, count] of Object.entries(expected)) {
      const names = await partitionsWithRows(parent);
      expect(names).toHaveLength(count);
      expect(names.filter((name) => name.endsWith('_default'))).toEqual([]);
    }
  });

  it('gets only the missing partitions from ensure_partitions', async () => {
    await expect(ensurePartitions()).resolves.toBe(0);
    const { rows } = await database.pool.query<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'outbox'::regclass order by 1`,
    );
    const newest = rows.filter(({ name }) => name.startsWith('outbox_d2')).at(-1)?.name ?? '';
    await database.pool.query(`drop table ${newest}`);
    await expect(ensurePartitions()).resolves.toBe(1);
    await expect(ensurePartitions()).resolves.toBe(0);
  });

  it('makes partitions in UTC, whatever the time zone of the session is', async () => {
    const { rows } = await database.pool.query<{ config: string[] }>(
      `select proconfig as config from pg_proc where proname = 'ensure_partitions'`,
    );
    expect(rows).toEqual([{ config: expect.arrayContaining(['TimeZone=UTC']) as string[] }]);
  });

  it('has indexes for the newest event of an eventId, the open entries and a success', async () => {
    const plan = async (sql: string): Promise<string> => {
      const client = await database.pool.connect();
      try {
        await client.query('begin; set local enable_seqscan = off');
        const { rows } = await client.query<Record<string, string>>(`explain ${sql}`);
        return rows.map((row) => row['QUERY PLAN']).join('\n');
      } finally {
        await client.query('rollback');
        client.release();
      }
    };
    const noSequentialScan = expect.not.stringContaining('Seq Scan') as string;
    await expect(plan(`select id from events where tenant_id = 'a' and event_id = 'b'`)).resolves.toEqual(
      noSequentialScan,
    );
    await expect(plan('select id from outbox where closed_at is null order by id limit 10')).resolves.toEqual(
      noSequentialScan,
    );
    await expect(
      plan(`select from processing_attempts where event_id = gen_random_uuid() and status = 'SUCCESS'`),
    ).resolves.toEqual(noSequentialScan);
  });
});

describe('partitions that were not created in time', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => database.drop());

  /** Drops the outbox partition of a day, counted from today. */
  const dropPartition = async (days: number): Promise<void> => {
    const { rows } = await database.pool.query<{ name: string }>(
      `select to_char((now() + $1 * interval '1 day') at time zone 'UTC', '"outbox_d"YYYYMMDD') as name`,
      [days],
    );
    await database.pool.query(`drop table ${rows[0]?.name}`);
  };

  it('I10: are created although an entry is in the default partition, and the entry moves', async () => {
    const { pool } = database;
    await dropPartition(0);
    await dropPartition(7);
    await storeBatch(pool, [prepared()]);
    await expect(countRows(pool, 'outbox_default')).resolves.toBe(1);
    const { rows } = await pool.query<{ created: number }>('select ensure_partitions() as created');
    expect(rows[0]?.created).toBeGreaterThanOrEqual(1);
    await expect(countRows(pool, 'outbox')).resolves.toBe(1);
  });

  it('are created by migrate, so that a database that was off for weeks has them before the first entry', async () => {
    const { pool } = database;
    await dropPartition(0);
    await migrate(database.url);
    await storeBatch(pool, [prepared()]);
    await expect(countRows(pool, 'outbox_default')).resolves.toBe(0);
  });
});

describe('a migration under load', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('is run again when PostgreSQL cancels it to resolve a deadlock', async () => {
    const reader = await database.pool.connect();
    const { promise: altered, resolve: hasAltered } = Promise.withResolvers<void>();
    let tries = 0;
    class TwoTables9000000000000 implements MigrationInterface {
      readonly name = 'TwoTables9000000000000';
      async up(runner: QueryRunner): Promise<void> {
        tries += 1;
        await runner.query('alter table events add column region text');
        hasAltered();
        await runner.query('alter table outbox add column priority smallint');
      }
      async down(): Promise<void> {
        await Promise.reject(new Error('only for this test'));
      }
    }
    const known = createDataSource(database.url).options;
    const migrations = [...(known.migrations as (new () => MigrationInterface)[]), TwoTables9000000000000];
    const dataSource = await new DataSource({ ...known, migrations }).initialize();
    try {
      await reader.query(`begin; set local deadlock_timeout = '1h'`); // so that the migration detects the deadlock
      await reader.query('select from outbox limit 1');
      const ran = runPending(dataSource);
      await altered;
      await reader.query('select from events limit 1'); // waits for the migration, which waits for this session
      await reader.query('commit');
      await expect(ran).resolves.toEqual(['TwoTables9000000000000']);
      expect(tries).toBe(2);
    } finally {
      reader.release();
      await dataSource.destroy();
    }
  });

  it('is run again until a dump lets go of its locks, and other statements go on in between', async () => {
    let tries = 0;
    class OneTable9000000000001 implements MigrationInterface {
      readonly name = 'OneTable9000000000001';
      async up(runner: QueryRunner): Promise<void> {
        tries += 1;
        await runner.query('alter table events add column region_of_dump text');
      }
      async down(): Promise<void> {
        await Promise.reject(new Error('only for this test'));
      }
    }
    const known = createDataSource(database.url).options;
    const migrations = [...(known.migrations as (new () => MigrationInterface)[]), OneTable9000000000001];
    const dataSource = await new DataSource({ ...known, migrations }).initialize();
    const dump = await database.pool.connect();
    try {
      await dump.query('begin; lock table events in access share mode');
      const ran = runPending(dataSource);
      await eventually(() => expect(tries).toBe(2), 30_000);
      await storeBatch(database.pool, [prepared()]); // waits a second at most
      await dump.query('rollback');
      await expect(ran).resolves.toEqual(['OneTable9000000000001']);
    } finally {
      dump.release(true);
      await dataSource.destroy();
    }
  }, 60_000);
});

describe('the migration of the reporting views', () => {
  let database: TestDatabase;
  /** This migration and those after it. */
  let fromReporting: string[] = [];
  beforeEach(async () => {
    database = await createTestDatabase();
    const dataSource = await createDataSource(database.url).initialize();
    try {
      const names = dataSource.migrations.map(({ name }) => name as string);
      fromReporting = names.slice(names.indexOf('Reporting1764400000000'));
      for (const _ of fromReporting) await dataSource.undoLastMigration();
    } finally {
      await dataSource.destroy();
    }
  });
  afterEach(() => database.drop());

  it('is undone with those after it, which restores the columns of event_status of the release before', async () => {
    const { pending } = await readMigrationStatus(database.url);
    expect(pending).toEqual(fromReporting);
    const { fields } = await database.pool.query('select * from event_status');
    expect(fields.map(({ name }) => name)).toEqual(
      ['event_id', 'tenant_id', 'status', 'published_at', 'completed_at', 'next_attempt_at'].concat('last_error'),
    );
  });

  it('does not wait for writing transactions', async () => {
    const { options } = createDataSource(database.url);
    const dataSource = await new DataSource({ ...options, migrations: [Reporting1764400000000] }).initialize();
    const writer = await database.pool.connect();
    try {
      await writer.query('begin');
      await writer.query(
        `lock table events, outbox, processing_attempts, event_state, retry_schedule, usage_daily, replay_events
           in row exclusive mode`,
      );
      await expect(runPending(dataSource)).resolves.toEqual(['Reporting1764400000000']);
      await writer.query('rollback');
    } finally {
      writer.release(true);
      await dataSource.destroy();
    }
  });

  it('uses a schema that an administrator has created when its role may not create one', async () => {
    const role = `migrator_${database.url.slice(-12)}`;
    const url = new URL(database.url);
    url.username = role;
    await database.pool.query(`create role ${role} login`);
    try {
      const { rows } = await database.pool.query<{ statement: string }>(
        `select format('alter table %I owner to ${role}', relname) as statement
           from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')
         union all select 'alter sequence outbox_id_seq owner to ${role}'
         union all
         select format('alter function %s owner to ${role}', oid::regprocedure)
           from pg_proc where pronamespace = 'public'::regnamespace`,
      );
      for (const { statement } of rows) await database.pool.query(statement);
      await database.pool.query(`grant create on schema public to ${role}`);
      await expect(migrate(url.href)).rejects.toThrow('permission denied for database');
      await database.pool.query(`create schema reporting authorization ${role}`);
      await expect(migrate(url.href)).resolves.toEqual(fromReporting);
    } finally {
      await database.pool.query(`drop owned by ${role} cascade; drop role ${role}`);
    }
  });
});

describe('the status and the dry run of migrations', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase({ migrated: false });
  });
  afterAll(() => database.drop());

  const relations = () => countRows(database.pool, `pg_class where relnamespace = 'public'::regnamespace`);

  it('list pending migrations and create nothing, not even the table of migrations', async () => {
    const { applied, pending, fromNewerBuild } = await readMigrationStatus(database.url);
    expect({ applied, fromNewerBuild }).toEqual({ applied: [], fromNewerBuild: [] });
    expect(pending).toContain('InitialSchema1764000000000');
    await expect(relations()).resolves.toBe(0);
  });

  it('show every statement of a dry run and roll it back', async () => {
    const plan = await dryRunMigrations(database.url);
    expect(plan[0]?.name).toBe('InitialSchema1764000000000');
    expect(plan[0]?.statements.join('\n')).toContain('create table events (');
    await expect(relations()).resolves.toBe(0);
  });

  it('show nothing pending after migrate, and list the migrations of a newer build', async () => {
    const ran = await migrate(database.url);
    await database.pool.query(
      `insert into schema_migrations (timestamp, name) values (9999999999999, 'FromTheFuture')`,
    );
    await expect(readMigrationStatus(database.url)).resolves.toEqual({
      applied: [...ran, 'FromTheFuture'],
      pending: [],
      fromNewerBuild: ['FromTheFuture'],
    });
    await expect(hasPendingMigrations(database.url)).resolves.toBe(false);
    await expect(dryRunMigrations(database.url)).resolves.toEqual([]);
  });
});
