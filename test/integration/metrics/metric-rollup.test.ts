import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { ADVISORY_LOCKS } from '../../../src/db/advisory-locks';
import { MetricRollup } from '../../../src/metric-rollup/metric-rollup';
import { useDatabase } from '../../support/fixtures/database';
import {
  givenDeliveryAt,
  givenEventAt,
  givenSuccessAt,
  measured,
  minutesAgo,
  rollUpAll,
  rollUpFrom,
  totalsOf,
} from '../../support/measured';
import { countRows } from '../../support/rows';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

const database = useDatabase();
let beganMs: number;
beforeEach(async () => {
  await database.pool.query(
    `truncate events, processing_attempts, deliveries, delivery_attempts, delivery_closings, rejections, metric_rollup,
              metric_slices, chore_progress`,
  );
  beganMs = minutesAgo(10);
  await rollUpFrom(database.pool, beganMs);
});

const rollUp = () => rollUpAll(new MetricRollup(database.pool));
const of = (measure: 'accepted' | 'completed' | 'delivered' | 'failed', dimension: 'tenant' | 'code' = 'tenant') =>
  totalsOf(database.pool, { measure, dimension });

describe('the roll-up', () => {
  it('counts each event once, by tenant, type and source, whoever rolls up and however often it begins anew', async () => {
    const { pool } = database;
    const sourceId = randomUUID();
    for (let i = 0; i < 60; i++) {
      const tenantId = i % 3 === 0 ? 'blue' : 'acme';
      const type = i % 2 === 0 ? 'order.paid' : 'order.sent';
      await givenEventAt(pool, beganMs + i * 9 * SECOND_MS, { tenantId, type, sourceId: i < 10 ? sourceId : null });
    }
    await new MetricRollup(pool).runOnce(); // a leader that dies afterwards
    await Promise.all([rollUp(), rollUp(), rollUp()]);
    await expect(countRows(pool, 'metric_rollup')).resolves.toBeGreaterThan(60);
    await expect(of('accepted')).resolves.toEqual({ acme: 40, blue: 20 });
    await expect(totalsOf(pool, { measure: 'accepted', dimension: 'type' })).resolves.toEqual({
      'order.paid': 30,
      'order.sent': 30,
    });
    await expect(totalsOf(pool, { measure: 'accepted', dimension: 'source' })).resolves.toEqual({
      [sourceId]: 10,
      none: 50,
    });
    await rollUpFrom(pool, beganMs); // made again from the start, as after a restore
    await rollUp();
    await expect(of('accepted')).resolves.toEqual({ acme: 40, blue: 20 });
  });

  it('counts what is not rolled up yet from the events themselves', async () => {
    const { pool } = database;
    await rollUp();
    for (let i = 0; i < 5; i++) await givenEventAt(pool, Date.now());
    const { series, throughMs } = await measured(pool, { measure: 'accepted', dimension: 'tenant' });
    expect(series).toMatchObject([{ key: 'acme', total: 5 }]);
    expect(throughMs).toBeGreaterThan(Date.now() - MINUTE_MS);
  });

  it('adds an event that is committed up to 15 minutes late', async () => {
    const { pool } = database;
    await givenEventAt(pool, beganMs + 5 * SECOND_MS);
    await new MetricRollup(pool).runOnce(); // a minute
    await givenEventAt(pool, beganMs + 6 * SECOND_MS);
    await givenEventAt(pool, beganMs - 14 * MINUTE_MS);
    await expect(of('accepted')).resolves.toEqual({ acme: 1 });
    await rollUp();
    await expect(of('accepted')).resolves.toEqual({ acme: 3 });
  });

  it('counts an event completed late because one of its deliveries was committed late', async () => {
    const { pool } = database;
    const rollup = new MetricRollup(pool);
    const id = await givenEventAt(pool, beganMs);
    await givenSuccessAt(pool, id, beganMs + SECOND_MS);
    const createdMs = beganMs + SECOND_MS;
    const destinationId = await givenDeliveryAt(pool, id, { createdMs, status: 'OPEN' });
    await givenDeliveryAt(pool, id, { createdMs, settledMs: beganMs + 25 * SECOND_MS });
    await rollup.runOnce();
    await expect(of('completed')).resolves.toEqual({});
    await pool.query(`delete from deliveries where destination_id = $1`, [destinationId]);
    await givenDeliveryAt(pool, id, { destinationId, createdMs, settledMs: beganMs + 3 * SECOND_MS });
    await rollUpAll(rollup);
    await expect(of('completed')).resolves.toEqual({ acme: 1 });
    const { series } = await measured(pool, { measure: 'latency', dimension: 'tenant' });
    expect(series[0]?.total).toBeGreaterThan(25_000 / 1.1);
    expect(series[0]?.total).toBeLessThan(25_000 * 1.1);
  });
});

describe('a late row is found', () => {
  /** Its slice is checked in the run that makes the first slices after `beganMs`, and in no other. */
  const givenLate = () => givenEventAt(database.pool, beganMs - 75 * SECOND_MS);
  const lockElsewhere = async (): Promise<() => Promise<void>> => {
    const other = await database.pool.connect();
    await other.query('begin');
    await other.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.metricRollup]);
    return async () => {
      await other.query('rollback');
      other.release();
    };
  };

  it('after a run in which another process was rolling up', async () => {
    const rollup = new MetricRollup(database.pool);
    const unlock = await lockElsewhere();
    await expect(rollup.runOnce()).resolves.toBe('elsewhere');
    await unlock();
    await givenLate();
    await rollUpAll(rollup);
    await expect(of('accepted')).resolves.toEqual({ acme: 1 });
  });

  it('after another process began to roll up between two transactions of a run', async () => {
    const { pool } = database;
    let connections = 0;
    let unlock: () => Promise<void> = () => Promise.resolve();
    /** The first two transactions make slices. Whatever follows meets the lock. */
    const lockedLater = {
      connect: async () => {
        if (++connections === 3) unlock = await lockElsewhere();
        return pool.connect();
      },
    } as Pool;
    const rollup = new MetricRollup(lockedLater);
    await givenLate();
    await rollup.runOnce();
    await unlock();
    await expect(countRows(pool, 'metric_rollup')).resolves.toBe(0);
    Object.assign(lockedLater, { query: pool.query.bind(pool) });
    await rollUpAll(rollup);
    await expect(of('accepted')).resolves.toEqual({ acme: 1 });
  });
});

describe('an event is completed', () => {
  it('when its handlers succeed, if it has no deliveries', async () => {
    const { pool } = database;
    await givenEventAt(pool, beganMs); // still under way
    const id = await givenEventAt(pool, beganMs);
    await givenSuccessAt(pool, id, beganMs + MINUTE_MS);
    await rollUp();
    await expect(of('completed')).resolves.toEqual({ acme: 1 });
  });

  it('when the last of its deliveries arrives, and skipped ones count as such', async () => {
    const { pool } = database;
    const id = await givenEventAt(pool, beganMs);
    const createdMs = beganMs + SECOND_MS;
    await givenSuccessAt(pool, id, createdMs);
    await givenDeliveryAt(pool, id, { createdMs, settledMs: createdMs, status: 'SKIPPED' });
    await givenDeliveryAt(pool, id, { createdMs, settledMs: beganMs + 2 * MINUTE_MS });
    await givenDeliveryAt(pool, id, { createdMs, settledMs: beganMs + MINUTE_MS });
    await rollUp();
    const { series } = await measured(pool, { measure: 'completed', dimension: 'tenant' });
    const points = series[0]?.points.filter(([, count]) => count > 0);
    expect(points).toEqual([[new Date(beganMs + 2 * MINUTE_MS).toISOString(), 1]]);
  });

  it('not while one of its deliveries has failed, and not again by a replay', async () => {
    const { pool } = database;
    const failed = await givenEventAt(pool, beganMs);
    await givenSuccessAt(pool, failed, beganMs);
    const destinationId = await givenDeliveryAt(pool, failed, {
      createdMs: beganMs,
      settledMs: beganMs + SECOND_MS,
      status: 'FAILED',
    });
    const again = await givenEventAt(pool, beganMs);
    await givenSuccessAt(pool, again, beganMs);
    await givenSuccessAt(pool, again, beganMs + MINUTE_MS, 2);
    await rollUp();
    await expect(of('completed')).resolves.toEqual({ acme: 1 });
    // A backfill delivers in its place.
    const createdMs = beganMs + 2 * MINUTE_MS;
    await givenDeliveryAt(pool, failed, {
      destinationId,
      generation: 2,
      replayId: randomUUID(),
      createdMs,
      settledMs: createdMs,
    });
    await rollUpFrom(pool, beganMs);
    await rollUp();
    await expect(of('completed')).resolves.toEqual({ acme: 2 });
    await expect(of('delivered')).resolves.toEqual({ acme: 1 });
    await expect(of('failed', 'code')).resolves.toEqual({ HTTP_5XX: 1 });
  });

  it('has latencies within a tenth', async () => {
    const { pool } = database;
    for (let i = 1; i <= 100; i++) {
      const id = await givenEventAt(pool, beganMs);
      await givenSuccessAt(pool, id, beganMs + i * 100);
    }
    await rollUp();
    const asked = { measure: 'latency', dimension: 'type' } as const;
    for (const [quantile, expected] of [
      [0.5, 5_000],
      [0.95, 9_500],
      [0.99, 9_900],
    ] as const) {
      const total = (await totalsOf(pool, { ...asked, quantile }))['order.paid'] ?? 0;
      expect(Math.abs(total - expected) / expected).toBeLessThan(0.1);
    }
  });
});

it('knows how long deliveries take, by destination, without those of backfills', async () => {
  const { pool } = database;
  const destinationId = randomUUID();
  for (let i = 1; i <= 20; i++) {
    const id = await givenEventAt(pool, beganMs);
    await givenDeliveryAt(pool, id, { destinationId, createdMs: beganMs, settledMs: beganMs + i * 100 });
  }
  const old = await givenEventAt(pool, beganMs);
  const backfilled = { destinationId, replayId: randomUUID(), createdMs: beganMs + 5 * MINUTE_MS };
  await givenDeliveryAt(pool, old, { ...backfilled, settledMs: beganMs + 5 * MINUTE_MS });
  await rollUp();
  const asked = { dimension: 'destination', measure: 'latency' } as const;
  for (const [quantile, expected] of [
    [0.5, 1_000],
    [0.95, 1_900],
  ] as const) {
    const total = (await totalsOf(pool, { ...asked, quantile }))[destinationId] ?? 0;
    expect(Math.abs(total - expected) / expected).toBeLessThan(0.11);
  }
  await expect(totalsOf(pool, { ...asked, measure: 'delivered' })).resolves.toEqual({ [destinationId]: 21 });
  await expect(of('delivered')).resolves.toEqual({ acme: 21 });
});

describe('a delivery has failed', () => {
  it('once for each time that its tries are used up, also after it was opened again', async () => {
    const { pool } = database;
    const id = await givenEventAt(pool, beganMs);
    const destinationId = await givenDeliveryAt(pool, id, {
      createdMs: beganMs,
      settledMs: beganMs + SECOND_MS,
      status: 'FAILED',
    });
    await pool.query(`update deliveries set status = 'OPEN', settled_at = null, failed_at = null`);
    await rollUp();
    await expect(totalsOf(pool, { measure: 'failed', dimension: 'destination' })).resolves.toEqual({
      [destinationId]: 1,
    });
  });

  it('as the delivery says, if the build before wrote the attempt', async () => {
    const { pool } = database;
    for (const status of ['FAILED', 'OPEN']) {
      const id = await givenEventAt(pool, beganMs);
      await givenDeliveryAt(pool, id, { createdMs: beganMs, settledMs: beganMs + SECOND_MS, status });
    }
    await pool.query('update delivery_attempts set failed = null');
    await rollUp();
    await expect(of('failed')).resolves.toEqual({ acme: 1 });
  });

  it('when its destination was disabled because of failures', async () => {
    const { pool } = database;
    const id = await givenEventAt(pool, beganMs);
    const destinationId = await givenDeliveryAt(pool, id, { createdMs: beganMs, status: 'OPEN' });
    await pool.query(
      `insert into delivery_closings (at, event_id, destination_id, generation, status, reason_code)
       values ($1, $2, $3, 1, 'FAILED', 'DESTINATION_DISABLED')`,
      [new Date(beganMs).toISOString(), id, destinationId],
    );
    await rollUp();
    await expect(of('failed', 'code')).resolves.toEqual({ DESTINATION_DISABLED: 1 });
  });
});
