import type { Pool } from 'pg';
import type { Event } from '../../../src/event/event';
import { DeliveryEngine } from '../../support/delivery-engine';
import { eventually } from '../../support/eventually';
import { useEngines } from '../../support/engines';
import { givenFailures, givenQueued } from '../../support/queued-deliveries';
import { answer, inTurn, type Reaction, type TestReceiver } from '../../support/receivers/receiver';
import { countRows } from '../../support/rows';
import { talliesOf, totalOf } from '../../support/tallies';

interface Row {
  status: string;
  attempts: number;
  tries: number;
  exhausted: boolean;
  reason: string | null;
  code: number | null;
}

const rowsOf = async (pool: Pool, destinationId: string): Promise<Row[]> => {
  const { rows } = await pool.query<Row>(
    `select status, attempts, tries, exhausted, last_reason_code as reason, last_status_code as code
       from deliveries where destination_id = $1 order by event_id`,
    [destinationId],
  );
  return rows;
};

const never: Reaction = () => undefined;

describe('the engine of deliveries', () => {
  const scene = useEngines();
  const database = scene;
  const engine = (env?: Record<string, string>): DeliveryEngine => scene.engine(env);
  const receiver = (reaction?: Reaction): Promise<TestReceiver> => scene.receiver(reaction);
  const events = (n: number): Promise<Event[]> => scene.events(n);
  const settled = (...given: Parameters<typeof scene.settled>): Promise<void> => scene.settled(...given);
  const eachOnce = (to: TestReceiver, sent: readonly Event[]): void => {
    expect(to.received.map(({ headers }) => headers['webhook-id']).sort()).toEqual(sent.map(({ id }) => id).sort());
  };

  it('delivers every event once: at once while there are places, and the others as places become free', async () => {
    const to = await receiver();
    const one = engine();
    const id = await one.destination({ url: to.url });
    const sent = await events(100);
    await one.settle(sent);
    await settled(id, 100);
    eachOnce(to, sent);
    expect(to.received[0]?.headers).toMatchObject({ 'content-type': 'application/json', 'webhook-attempt': '1' });
    await expect(countRows(database.pool, 'delivery_queue')).resolves.toBe(0);
    const { rows } = await database.pool.query(
      `select distinct reason_code, status_code, attempt_number from delivery_attempts`,
    );
    expect(rows).toEqual([{ reason_code: 'PROCESSED', status_code: 200, attempt_number: 1 }]);
    await one.report.flush();
    const minutes = await database.pool.query<{ n: number }>(
      'select sum(delivered)::int as n from destination_minutes',
    );
    expect(minutes.rows).toEqual([{ n: 100 }]);
  });

  it('measures attempts and deliveries by kind and result, and how long a delivery was open', async () => {
    const [good, bad] = [await receiver(), await receiver(answer(404))];
    const one = engine();
    const [delivers, fails] = [await one.destination({ url: good.url }), await one.destination({ url: bad.url })];
    await one.settle(await events(5));
    await givenQueued(database.pool, delivers, await events(2), { ageSeconds: 100 });
    await settled(delivers, 7);
    await settled(fails, 5, 'FAILED');
    const { attempts, deliveries, stages } = one.metrics.durations;
    await eventually(async () => {
      await expect(talliesOf(attempts)).resolves.toEqual({ 'http success': 7, 'http failed': 5 });
      await expect(talliesOf(deliveries)).resolves.toEqual({ 'http delivered': 7, 'http failed': 5 });
      await expect(talliesOf(stages)).resolves.toEqual({ deliver: 7 });
    });
    expect(await totalOf(stages)).toBeGreaterThanOrEqual(200);
    expect(await totalOf(stages)).toBeLessThan(600);
  });

  it('sends nothing of a transaction that was rolled back, and gives its places back', async () => {
    const to = await receiver();
    const one = engine();
    const id = await one.destination({ url: to.url, maxInFlight: 2 });
    await one.settle(await events(5), { commits: false });
    const sent = await events(5);
    await one.settle(sent);
    await settled(id, 5);
    eachOnce(to, sent);
  });

  it('retries by the schedule, keeps the count, and gives up with the last cause', async () => {
    const to = await receiver(inTurn(answer(500), answer(503), answer(200)));
    const bad = await receiver(answer(502, {}, 'token=whsec_c2VjcmV0c2VjcmV0c2VjcmV0 broken'));
    const one = engine({ DELIVERY_RETRY_SCHEDULE_SECONDS: '0.3,0.5' });
    const good = await one.destination({ url: to.url });
    const failing = await one.destination({ url: bad.url });
    const [event] = (await events(1)) as [Event];
    await one.settle([event]);
    await settled(good, 1);
    await settled(failing, 1, 'FAILED');
    await expect(rowsOf(database.pool, good)).resolves.toMatchObject([
      { attempts: 3, tries: 3, reason: 'PROCESSED', code: 200, exhausted: false },
    ]);
    await expect(rowsOf(database.pool, failing)).resolves.toMatchObject([
      { attempts: 3, tries: 3, reason: 'HTTP_5XX', code: 502, exhausted: true },
    ]);
    const [first, second, third] = to.of(event.id).map(({ atMs }) => atMs) as [number, number, number];
    expect(second - first).toBeGreaterThanOrEqual(290);
    expect(third - second).toBeGreaterThanOrEqual(490);
    const { rows } = await database.pool.query<{ response_excerpt: string }>(
      'select response_excerpt from delivery_attempts where destination_id = $1 and attempt_number = 1',
      [failing],
    );
    expect(rows[0]?.response_excerpt).toContain('broken');
    expect(rows[0]?.response_excerpt).not.toContain('c2VjcmV0');
  });

  it('records the results of the others at once when PostgreSQL refuses those of one destination', async () => {
    const one = engine();
    const [refused, other] = await Promise.all(
      [await receiver(), await receiver()].map(({ url }) => one.destination({ url })),
    );
    await database.pool.query(
      `create function refuse() returns trigger language plpgsql as $$ begin perform no_such_function(); end $$;
       create trigger refuse before insert on delivery_attempts for each row
         when (new.destination_id = '${refused}') execute function refuse()`,
    );
    try {
      await one.settle(await events(10));
      await settled(other as string, 10, 'DELIVERED', 30_000); // without isolation, after two minutes
      expect((await rowsOf(database.pool, refused as string)).map(({ status }) => status)).toEqual(
        Array(10).fill('OPEN'),
      );
    } finally {
      await database.pool.query('drop trigger refuse on delivery_attempts; drop function refuse()');
    }
  }, 90_000);

  it('delivers all of 60 events to a receiver of 5 a second, uses up no try, and comes close to its rate', async () => {
    let second = 0;
    let taken = 0;
    const limited: Reaction = (response, received) => {
      const now = Math.floor(Date.now() / 1_000);
      if (now !== second) [second, taken] = [now, 0];
      taken += 1;
      answer(taken > 5 ? 429 : 200, taken > 5 ? { 'retry-after': '1' } : {})(response, received);
    };
    const to = await receiver(limited);
    const one = engine({ DELIVERY_RETRY_SCHEDULE_SECONDS: '3600' });
    const id = await one.destination({ url: to.url });
    const sent = await events(60);
    await one.settle(sent);
    const startedMs = Date.now();
    await settled(id, 60, 'DELIVERED', 60_000);
    expect(60 / ((Date.now() - startedMs) / 1_000)).toBeGreaterThan(0.7 * 5);
    expect((await rowsOf(database.pool, id)).every(({ tries }) => tries === 1)).toBe(true);
  }, 90_000);

  it('opens the circuit of a dead destination: the rest of the backlog uses up no try, and is delivered afterwards', async () => {
    const to = await receiver(answer(500));
    const one = engine({ DELIVERY_RETRY_SCHEDULE_SECONDS: '1,1,1,1' });
    const id = await one.destination({ url: to.url, maxInFlight: 4 });
    await one.settle(await events(100));
    await eventually(async () => {
      const { rows } = await database.pool.query('select from destination_failures where open_until is not null');
      expect(rows).toHaveLength(1);
    });
    const requests = to.received.length;
    expect(requests).toBeLessThan(30);
    expect((await rowsOf(database.pool, id)).filter(({ tries }) => tries === 0).length).toBeGreaterThan(60);
    to.reaction = answer(200);
    await settled(id, 100);
    await expect(countRows(database.pool, 'destination_failures')).resolves.toBe(0);
  });

  it('probes an open circuit once in the whole installation, and closes it by the success', async () => {
    let respond: () => void = () => undefined;
    const to = await receiver((response, received) => (respond = () => answer(200)(response, received)));
    const [one] = [engine(), engine()];
    const id = await one.destination({ url: to.url, timeoutMs: 30_000 });
    await givenFailures(database.pool, id, { openForSeconds: -1 });
    const sent = await events(20);
    await givenQueued(database.pool, id, sent);
    await eventually(() => expect(to.received).toHaveLength(1));
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(to.received).toHaveLength(1);
    to.reaction = answer(200);
    respond();
    await settled(id, 20);
    eachOnce(to, sent);
    await expect(countRows(database.pool, 'destination_failures')).resolves.toBe(0);
  });

  it('I7: writes nothing once the lease is lost', async () => {
    let respond: () => void = () => undefined;
    const to = await receiver((response, received) => (respond = () => answer(500)(response, received)));
    const one = engine();
    const id = await one.destination({ url: to.url, timeoutMs: 20_000 });
    await one.settle(await events(1));
    await eventually(() => expect(to.received).toHaveLength(1));
    await database.pool.query(
      `update delivery_queue set lease = gen_random_uuid(), due_at = now() + interval '1 hour'`,
    );
    respond();
    await eventually(async () =>
      expect((await one.metrics.deliveryLostLease.get()).values).toMatchObject([{ value: 1 }]),
    );
    await expect(rowsOf(database.pool, id)).resolves.toMatchObject([{ status: 'OPEN', attempts: 0 }]);
    await expect(countRows(database.pool, 'delivery_attempts')).resolves.toBe(0);
  });

  it('takes over what another process left behind, once its lease has expired', async () => {
    const to = await receiver();
    const one = engine();
    const id = await one.destination({ url: to.url });
    const sent = await events(3);
    await givenQueued(database.pool, id, sent, {
      lease: '0b0f6a3e-0000-4000-8000-000000000001',
      dueInSeconds: 2,
    });
    const startedMs = Date.now();
    await settled(id, 3);
    expect(Date.now() - startedMs).toBeGreaterThan(1_500);
    eachOnce(to, sent);
  });

  it('keeps maxInFlight over all processes', async () => {
    let running = 0;
    let most = 0;
    const slow: Reaction = (response, received) => {
      running += 1;
      most = Math.max(most, running);
      setTimeout(() => {
        running -= 1;
        answer(200)(response, received);
      }, 100);
    };
    const to = await receiver(slow);
    const [one] = [engine(), engine()];
    await eventually(() => expect(countRows(database.pool, 'delivery_workers')).resolves.toBe(2));
    await new Promise((resolve) => setTimeout(resolve, 5_000)); // both take their shares
    const id = await one.destination({ url: to.url, maxInFlight: 5 });
    const sent = await events(150);
    await givenQueued(database.pool, id, sent);
    await settled(id, 150);
    expect(most).toBe(5);
    eachOnce(to, sent);
  }, 60_000);

  it('holds the deliveries of a paused destination, and sends the oldest first once it is resumed', async () => {
    const to = await receiver();
    const one = engine();
    const id = await one.destination({ url: to.url, paused: true, maxInFlight: 1 });
    const sent = await events(30);
    for (let i = 0; i < 30; i += 10) await one.settle(sent.slice(i, i + 10));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(to.received).toHaveLength(0);
    await database.pool.query('update destinations set paused_at = null where id = $1', [id]);
    await settled(id, 30);
    const order = to.received.map(({ headers }) => sent.findIndex((event) => event.id === headers['webhook-id']));
    for (let i = 0; i < 30; i++) expect(Math.floor((order[i] ?? 0) / 10)).toBe(Math.floor(i / 10));
  });

  it('records the events of a disabled destination as skipped', async () => {
    const one = engine();
    const id = await one.destination({ enabled: false });
    await one.settle(await events(2));
    await settled(id, 2, 'SKIPPED');
  });

  it('disables a destination that answers 410, with the audit trail, and fails its open deliveries', async () => {
    const to = await receiver(answer(410));
    const one = engine();
    const id = await one.destination({ url: to.url, maxInFlight: 1 });
    await givenQueued(database.pool, id, await events(5));
    await settled(id, 5, 'FAILED');
    expect(to.received.length).toBeLessThan(5);
    const { rows } = await database.pool.query('select actor, action, note from admin_audit');
    expect(rows).toEqual([{ actor: 'streamforge', action: 'destination.disable', note: 'answered 410 Gone' }]);
    const destination = await database.pool.query('select enabled, disabled_reason as reason from destinations');
    expect(destination.rows).toEqual([{ enabled: false, reason: 'answered 410 Gone' }]);
  });

  it('disables what has failed for DESTINATION_DISABLE_AFTER_HOURS, and nothing whose failures are only old', async () => {
    const one = new DeliveryEngine(database.pool, { DESTINATION_DISABLE_AFTER_HOURS: '2' });
    const [dead, quiet, recent] = [await one.destination({}), await one.destination({}), await one.destination({})];
    await givenFailures(database.pool, dead, { failingSeconds: 7_300 });
    await givenFailures(database.pool, recent, { failingSeconds: 7_000 });
    await givenFailures(database.pool, quiet, { failingSeconds: 7_300 });
    await database.pool.query('update destination_failures set updated_at = failing_since where destination_id = $1', [
      quiet,
    ]);
    await givenQueued(database.pool, dead, await events(2), { dueInSeconds: 3_600, attempts: 3 });
    await one.disable.runOnce();
    const { rows } = await database.pool.query(
      'select id, disabled_reason as reason from destinations where not enabled',
    );
    expect(rows).toEqual([{ id: dead, reason: 'no success for 2 hours' }]);
    await expect(scene.count(dead, 'FAILED')).resolves.toBe(2);
  });

  it('does not let a destination that hangs delay a healthy one', async () => {
    const hanging = await receiver(never);
    const to = await receiver();
    const one = engine();
    const dead = await one.destination({ url: hanging.url, timeoutMs: 30_000 });
    const id = await one.destination({ url: to.url });
    await one.settle(await events(300));
    await settled(id, 300, 'DELIVERED', 20_000);
    expect(hanging.received.length).toBeLessThanOrEqual(8);
    await expect(scene.count(dead, 'OPEN')).resolves.toBe(300);
  });

  it('I15: releases at a shutdown what has not ended, with no try used up', async () => {
    const to = await receiver(never);
    const one = engine({ SHUTDOWN_GRACE_MS: '600' });
    const id = await one.destination({ url: to.url, timeoutMs: 30_000, maxInFlight: 4 });
    await one.settle(await events(20));
    await eventually(() => expect(to.received.length).toBeGreaterThan(0));
    await one.stop();
    await one.settle(await events(1)); // recorded after the stop
    const rows = await rowsOf(database.pool, id);
    expect(rows.every(({ status, attempts, tries }) => status === 'OPEN' && attempts === 0 && tries === 0)).toBe(true);
    await eventually(async () => {
      const queue = await database.pool.query('select from delivery_queue where lease is null and due_at <= now()');
      expect(queue.rowCount).toBe(21);
    });
    await expect(countRows(database.pool, 'delivery_workers')).resolves.toBe(0);
  });
});
