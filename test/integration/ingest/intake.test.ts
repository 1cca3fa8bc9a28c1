import { Logger } from '@nestjs/common';
import { DatabaseHistory } from '../../../src/db/history/database-history';
import { ConfirmedCache } from '../../../src/redis/confirmed-cache';
import type { IdempotencyCache } from '../../../src/redis/idempotency-cache';
import { MemoryCache } from '../../../src/redis/memory-cache';
import { LocalWakeUp } from '../../../src/redis/wake-up';
import { createPool } from '../../../src/db/pool';
import { BatchWriter } from '../../../src/ingest/store/batch-writer';
import { Intake } from '../../../src/ingest/store/intake';
import { KnownEvents } from '../../../src/ingest/store/known-events';
import { Metrics } from '../../../src/observability/metrics';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { eventBody, prepared } from '../../support/events';
import { freePort } from '../../support/processes/free-port';

describe('Intake', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  const intakeTo = (pool: TestDatabase['pool'], cache: IdempotencyCache): Intake => {
    const metrics = new Metrics();
    const confirmed = new ConfirmedCache(cache, new DatabaseHistory(pool));
    return new Intake(new BatchWriter(pool, new KnownEvents(confirmed, metrics), metrics), new LocalWakeUp());
  };

  it('I2: caches nothing that was not committed, so that a retry is accepted as new', async () => {
    const cache = new MemoryCache(60);
    const body = eventBody();
    const event = prepared(body);
    const away = createPool(`postgres://postgres@127.0.0.1:${await freePort()}/none`, 'streamforge test');
    try {
      await expect(intakeTo(away, cache).accept(event)).rejects.toMatchObject({ code: 'storage-unavailable' });
    } finally {
      await away.end();
    }
    await expect(cache.lookup([event.keyDigest])).resolves.toEqual(new Map());

    const intake = intakeTo(database.pool, cache);
    await expect(intake.accept(prepared(body))).resolves.toMatchObject({ kind: 'accepted' });
    await expect(intake.accept(prepared(body))).resolves.toMatchObject({ kind: 'duplicate', layer: 'cache' });
  });

  it('I2: answers from the cache only in the history in which PostgreSQL told it', async () => {
    const cache = new MemoryCache(60);
    const intake = intakeTo(database.pool, cache);
    const body = eventBody();
    const sent = await intake.accept(prepared(body));
    expect(sent).toMatchObject({ kind: 'accepted' });
    await expect(intake.accept(prepared(body))).resolves.toMatchObject({ kind: 'duplicate', layer: 'cache' });

    await database.pool.query('update database_history set token = gen_random_uuid()');
    await expect(intake.accept(prepared(body))).resolves.toMatchObject({ kind: 'duplicate', layer: 'database' });
    await expect(intake.accept(prepared(body))).resolves.toMatchObject({ kind: 'duplicate', layer: 'cache' });

    const { event, keyDigest } = prepared(body);
    await database.pool.query('update database_history set token = gen_random_uuid()');
    await database.pool.query('delete from events where tenant_id = $1', [event.tenantId]);
    await database.pool.query(`delete from idempotency_keys where digest = decode($1, 'hex')`, [keyDigest]);
    const again = await intake.accept(prepared(body));
    expect(again).toMatchObject({ kind: 'accepted' });
    expect(await intake.accept(prepared(body))).toMatchObject({
      of: { id: again.kind === 'accepted' && again.committed.id },
      layer: 'cache',
    });
  });

  it('I2: answers nothing from the cache while PostgreSQL does not confirm it', async () => {
    const cache = new MemoryCache(60);
    const body = eventBody();
    await intakeTo(database.pool, cache).accept(prepared(body));
    const away = createPool(`postgres://postgres@127.0.0.1:${await freePort()}/none`, 'streamforge test');
    try {
      await expect(intakeTo(away, cache).accept(prepared(body))).rejects.toMatchObject({ code: 'storage-unavailable' });
    } finally {
      await away.end();
    }
  });

  it('I2: caches each event of a batch under its own key, even where contents are the same', async () => {
    const intake = intakeTo(database.pool, new MemoryCache(60));
    const body = eventBody();
    const batch = () => ['a', 'b', 'c'].map((idempotencyKey) => prepared(body, { idempotencyKey }));
    const { results } = await intake.acceptAll(batch());
    const ids = results.map((result) => (result.kind === 'accepted' ? result.committed.id : undefined));
    expect(new Set(ids).size).toBe(3);
    const again = await intake.acceptAll(batch());
    expect(again.results).toMatchObject(ids.map((id) => ({ kind: 'duplicate', layer: 'cache', of: { id } })));
  });
});
