import {
  forgetFailures,
  forgetStrayFailures,
  readFailing,
  recordFailures,
  type CircuitEffect,
} from '../../../src/delivery-state/destination-failures.queries';
import { beat, joinWorkers, leaveWorkers } from '../../../src/delivery-state/delivery-workers.queries';
import { addMinutes } from '../../../src/delivery-state/destination-minutes.queries';
import {
  countOpenDeliveries,
  DUE_DESTINATIONS,
  DUE_DESTINATIONS_SETTINGS,
  readDueDestinations,
} from '../../../src/delivery-state/queue-outlook.queries';
import { DisableDestinations } from '../../../src/deliveries/disable-destinations';
import { DestinationRegistry } from '../../../src/destinations/destination-registry';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { ProxyHealth } from '../../../src/observability/proxy-health';
import { testSettings } from '../../support/app';
import { useDatabase } from '../../support/fixtures/database';
import { givenReceiver } from '../../support/queued-deliveries';

describe('what is stored of a failing destination', () => {
  const database = useDatabase();

  const record = async (id: string, effect: CircuitEffect): Promise<number | null> => {
    const failure = { destinationId: id, effect, reasonCode: 'HTTP_5XX', statusCode: 500, error: 'it broke' };
    const [now] = await recordFailures(database.pool, [failure]);
    return now?.openSeconds ?? null;
  };
  const letOpen = (id: string): Promise<unknown> =>
    database.pool.query(
      `update destination_failures set open_until = now() - interval '1 s' where destination_id = $1`,
      [id],
    );

  it('begins with the first failure after a success, and ends with the next one', async () => {
    const id = uuidV7();
    await record(id, 'same');
    await database.pool.query(
      `update destination_failures set failing_since = now() - interval '1 hour' where destination_id = $1`,
      [id],
    );
    await expect(record(id, 'same')).resolves.toBeNull();
    const [failing] = await readFailing(database.pool);
    expect(failing?.failingSeconds).toBeGreaterThan(3_599);
    await forgetFailures(database.pool, [id, uuidV7()]);
    await expect(readFailing(database.pool)).resolves.toEqual([]);
    await record(id, 'same');
    await expect(readFailing(database.pool).then(([row]) => row?.failingSeconds)).resolves.toBeLessThan(60);
    await forgetFailures(database.pool, [id]);
  });

  it('opens the circuit for 2 s, and after each failed probe for twice as long, up to a minute', async () => {
    const id = uuidV7();
    await expect(record(id, 'opens')).resolves.toBeCloseTo(2, 0);
    await expect(record(id, 'same')).resolves.toBeCloseTo(2, 0);
    for (const seconds of [4, 8, 16, 32, 60, 60]) {
      await letOpen(id);
      await expect(record(id, 'probe-failed')).resolves.toBeCloseTo(seconds, 0);
    }
    // Another process whose failures add up later does not prolong it.
    await letOpen(id);
    expect(await record(id, 'opens')).toBeLessThan(0);
  });

  it('lets the next probe start when one never reached the destination, and closes by a sign of life', async () => {
    const id = uuidV7();
    await record(id, 'opens');
    expect(await record(id, 'probe-ended')).toBeLessThanOrEqual(0);
    await expect(record(id, 'closes')).resolves.toBeNull();
    await expect(record(id, 'opens')).resolves.toBeCloseTo(2, 0);
  });

  it('is forgotten when the destination is gone', async () => {
    const [kept, gone] = [await givenReceiver(database.pool), uuidV7()];
    await record(kept, 'same');
    await record(gone, 'same');
    await forgetStrayFailures(database.pool, 100);
    await expect(readFailing(database.pool).then((rows) => rows.map((row) => row.destinationId))).resolves.toEqual([
      kept,
    ]);
    await forgetFailures(database.pool, [kept]);
  });

  it('adds up the minutes of all processes', async () => {
    const id = uuidV7();
    const counts = { destinationId: id, delivered: 2, failed: 1, latencyMs: [1, 0, 1] };
    await Promise.all([addMinutes(database.pool, [counts]), addMinutes(database.pool, [counts])]);
    const { rows } = await database.pool.query<{ delivered: number; failed: number; first: number; last: number }>(
      `select sum(delivered)::int as delivered, sum(failed)::int as failed, sum(latency_ms[1])::int as first,
              sum(latency_ms[3])::int as last from destination_minutes where destination_id = $1`,
      [id],
    );
    expect(rows).toEqual([{ delivered: 4, failed: 2, first: 2, last: 2 }]);
  });

  it('knows the live workers: two that join at once see each other, and a silent one is dead after a while', async () => {
    const ids = [uuidV7(), uuidV7()].sort() as [string, string];
    const seen = await Promise.all(ids.map((id) => joinWorkers(database.pool, id)));
    expect(Math.max(...seen.map((list) => list.length))).toBe(2);
    await expect(beat(database.pool, ids[0])).resolves.toEqual({ ids, isNew: false });
    await database.pool.query(`update delivery_workers set seen_at = now() - interval '11 s' where id = $1`, [ids[1]]);
    await expect(beat(database.pool, ids[0])).resolves.toEqual({ ids: [ids[0]], isNew: false });
    await expect(beat(database.pool, ids[1])).resolves.toEqual({ ids, isNew: true });
    await leaveWorkers(database.pool, ids[0]);
    await expect(beat(database.pool, ids[1])).resolves.toEqual({ ids: [ids[1]], isNew: false });
  });

  it('disables the others when one destination that fails for long cannot be disabled', async () => {
    const ids = [await givenReceiver(database.pool), await givenReceiver(database.pool)].sort();
    for (const id of ids) await record(id, 'same');
    await database.pool.query(`update destination_failures set failing_since = now() - interval '200 hours'`);
    await database.pool.query(`
      create function breaks() returns trigger language plpgsql as $$ begin raise exception 'it is broken'; end $$;
      create trigger breaks before update on destinations
         for each row when (new.id = '${ids[0]}') execute function breaks()`);
    const disable = new DisableDestinations(
      testSettings(),
      database.pool,
      new DestinationRegistry(database.pool),
      new ProxyHealth(),
    );
    await expect(disable.runOnce()).rejects.toThrow('it is broken');
    await database.pool.query('drop function breaks() cascade');
    const { rows } = await database.pool.query<{ enabled: boolean }>(
      'select enabled from destinations where id = any ($1) order by id',
      [ids],
    );
    expect(rows).toEqual([{ enabled: true }, { enabled: false }]);
    await forgetFailures(database.pool, ids);
  });

  it('counts open deliveries by what they wait for', async () => {
    const { pool } = database;
    const [ready, paused, failing, disabled] = [
      await givenReceiver(pool),
      await givenReceiver(pool, { paused: true }),
      await givenReceiver(pool),
      await givenReceiver(pool, { enabled: false }),
    ];
    await record(failing, 'same');
    await pool.query(
      `update destination_failures set open_until = now() + interval '1 minute' where destination_id = $1`,
      [failing],
    );
    await pool.query(
      `insert into delivery_queue (event_id, destination_id, generation, due_at, lease)
       select gen_random_uuid(), id, 1, now() + make_interval(secs => due), case when leased then gen_random_uuid() end
         from unnest($1::uuid[], $2::integer[], $3::boolean[]) q (id, due, leased)`,
      [
        [ready, ready, ready, ready, ready, paused, paused, failing, disabled, uuidV7()],
        [-5, -5, 60, 30, -1, -5, 60, -5, -5, -5],
        [false, false, false, true, true, false, true, false, false, false],
      ],
    );
    await expect(countOpenDeliveries(pool)).resolves.toEqual(
      new Map([
        ['due', 3], // one of them with a lease that has expired
        ['waiting', 1],
        ['in-flight', 2],
        ['paused', 1],
        ['circuit-open', 1],
        ['closing', 2],
      ]),
    );
    await pool.query('truncate delivery_queue');
    await forgetFailures(pool, [failing]);
  });

  it('finds the destinations with open deliveries by one entry of the index each, among 100,000', async () => {
    const ids = Array.from({ length: 5 }, () => uuidV7()).sort();
    await database.pool.query(
      `insert into delivery_queue (event_id, destination_id, generation, due_at)
       select gen_random_uuid(), ($1::uuid[])[1 + i % 5], 1, now() + make_interval(secs => i)
         from generate_series(0, 99999) i`,
      [ids],
    );
    await database.pool.query('analyze delivery_queue');
    const due = await readDueDestinations(database.pool);
    expect(due.map(({ destinationId }) => destinationId)).toEqual(ids);
    due.forEach(({ dueInSeconds }, i) => expect(Math.abs(dueInSeconds - i)).toBeLessThan(60));
    const client = await database.pool.connect();
    await client.query(`begin; ${DUE_DESTINATIONS_SETTINGS}`);
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (analyze, buffers) ${DUE_DESTINATIONS}`);
    await client.query('rollback');
    client.release();
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    const read = Number(/shared hit=(\d+)/.exec(plan)?.[1]) + Number(/shared.* read=(\d+)/.exec(plan)?.[1] ?? 0);
    expect(read).toBeLessThan(200);
    await expect(countOpenDeliveries(database.pool)).resolves.toEqual(new Map([['closing', 100_000]]));
    await database.pool.query(
      `insert into destination_failures (destination_id, failing_since, open_until, open_seconds, last_reason_code)
       select id, now(), now() + make_interval(secs => seconds), 60, 'HTTP_5XX'
         from unnest($1::uuid[], $2::integer[]) f (id, seconds)`,
      [ids.slice(0, 3), [-5, 5, 60]],
    );
    const soon = await readDueDestinations(database.pool);
    expect(soon.map(({ destinationId }) => destinationId)).toEqual(ids.filter((_, i) => i !== 2));
  });
});
