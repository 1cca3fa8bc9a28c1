import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import { findEventById } from '../../../src/ingest/event-reader.queries';
import { claimDueEntries } from '../../../src/outbox/claim.queries';
import { Retention } from '../../../src/outbox/retention';
import { testSettings } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { countRows, givenEvent } from '../../support/rows';

/** The partitions that are needed last: of the eighth day and of the fifth week. */
const NEWEST = `select max(inhrelid::regclass::text) as name from pg_inherits
                 where inhparent = any (array['outbox', 'events']::regclass[]) and inhrelid::regclass::text !~ '_default$'
                 group by inhparent`;

/** Statements of this database that wait for a lock. */
const WAITING = `pg_locks where not granted and database = (select oid from pg_database where datname = current_database())`;

describe('upkeep while a dump holds the tables', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  const retention = () => new Retention(testSettings(), database.pool);
  const claim = (pool: Pool) =>
    claimDueEntries(pool, {
      token: '00000000-0000-7000-8000-000000000001',
      afterLane: '',
      without: [],
      limit: 10,
      maxBytes: 1_000_000,
      leaseSeconds: 30,
    });

  it('waits for no lock, so that claims and reads go on, and makes the partitions afterwards', async () => {
    const { pool } = database;
    const { id } = await givenEvent(pool);
    const { rows } = await pool.query<{ name: string }>(NEWEST);
    expect(rows).toHaveLength(2);
    for (const { name } of rows) await pool.query(`drop table ${name}`);
    const dump = await pool.connect();
    try {
      await dump.query('begin; lock table events, outbox in access share mode');
      let isDone = false;
      const run = retention()
        .runOnce()
        .finally(() => (isDone = true));
      let seen = 0;
      while (!isDone) {
        await claim(pool);
        await expect(findEventById(pool, { tenantId: 'acme', tenantIds: null }, id)).resolves.toMatchObject({ id });
        expect(await countRows(pool, WAITING)).toBe(0);
        seen += 1;
        await sleep(5);
      }
      expect(seen).toBeGreaterThan(3);
      await expect(run).resolves.toEqual({ made: 0, dropped: [], putOff: 2, elsewhere: false });
    } finally {
      await dump.query('rollback');
      dump.release();
    }
    await expect(retention().runOnce()).resolves.toEqual({ made: 2, dropped: [], putOff: 0, elsewhere: false });
  });
});
