import type { Event } from '../../../../src/event/event';
import { answer, inTurn, type Reaction } from '../../../support/receivers/receiver';
import { countRows } from '../../../support/rows';
import { idsOf, keyOf, NEVER_AGAIN, OrderScene, sentTo, SOON } from './order-scene';

/** Fails each event whose number a hash of its id says, once or twice. */
const failsSometimes: Reaction = (response, received) => {
  const failures = parseInt(String(received.headers['webhook-id']).slice(-1), 16) % 3;
  answer(received.nth <= failures ? 500 : 200)(response, received);
};

const shuffled = <T>(list: readonly T[]): T[] =>
  list
    .map((one, i) => ({ one, by: (i * 7_919) % 104_729 }))
    .sort((a, b) => a.by - b.by)
    .map(({ one }) => one);

/** The events in the order in which they arrived, each at its last try. */
function arrivals(log: readonly string[], of: readonly Event[]): string[] {
  const ids = new Set(idsOf(of));
  const own = log.filter((id) => ids.has(id));
  return own.filter((id, i) => own.lastIndexOf(id) === i);
}

describe('an ordered destination', () => {
  const scene = new OrderScene();
  const { engines } = scene;

  it('gets the events of each key in order, and never two at a time, from two workers and across retries', async () => {
    const first = engines.engine(SOON);
    const underWay = new Map<string, number>();
    let mostAtOnce = 0;
    const { id, to } = await scene.ordered(
      first,
      (response, received) => {
        const { partitionKey } = JSON.parse(received.body) as { partitionKey: string };
        const atOnce = (underWay.get(partitionKey) ?? 0) + 1;
        underWay.set(partitionKey, atOnce);
        mostAtOnce = Math.max(mostAtOnce, atOnce);
        setTimeout(() => {
          underWay.set(partitionKey, atOnce - 1);
          failsSometimes(response, received);
        }, 3);
      },
      { maxInFlight: 16 },
    );
    const byKey: Event[][] = [];
    for (let key = 0; key < 8; key++) byKey.push(await scene.eventsOf(`key-${key}`, 6));
    const second = engines.engine(SOON); // knows the destination
    // Workers settle the events in any order, and at the same time.
    const all = shuffled(byKey.flat());
    for (let i = 0; i < all.length; i += 8) {
      await Promise.all([first.settle(all.slice(i, i + 4)), second.settle(all.slice(i + 4, i + 8))]);
    }
    await engines.settled(id, 48, 'DELIVERED', 60_000);
    for (const events of byKey) expect(arrivals(sentTo(to), events)).toEqual(idsOf(events));
    expect(mostAtOnce).toBe(1);
    for (const table of ['delivery_queue', 'ordered_events', 'ordered_keys', 'ordered_failures', 'ordered_latest']) {
      await expect(countRows(scene.pool, table)).resolves.toBe(0);
    }
  });

  it.each(['block', 'skip'] as const)(
    'with %s, waits for an event that is still with its handlers',
    async (onPoison) => {
      const worker = engines.engine(SOON);
      const { id, to } = await scene.ordered(worker, answer(200), { onPoison });
      const [first, second, other] = [await scene.event('a'), await scene.event('a', 1), await scene.event('b')];
      await worker.settle([second, other]);
      await scene.become(id, [second, other], ['PARKED', 'DELIVERED']);
      await scene.keepOrder();
      await scene.become(id, [second], ['PARKED']);
      await worker.settle([first]);
      await scene.become(id, [first, second], ['DELIVERED', 'DELIVERED']);
      expect(sentTo(to)).toEqual(idsOf([other, first, second]));
    },
  );

  it('goes on when the earlier event is for other destinations only', async () => {
    const { id } = await scene.ordered(engines.engine(SOON), answer(200));
    await scene.pool.query(`update destinations set filter = '{"payload":{"nth":1}}', event_types = '{order.*}'`);
    const worker = engines.engine(SOON); // knows the filter
    const other = await scene.event('a', 1, { eventType: 'other' });
    const [first, second] = [await scene.event('a'), await scene.event('a', 1)];
    await worker.settle([second]);
    await scene.become(id, [second], ['PARKED']);
    await worker.settle([first]);
    await scene.become(id, [other, first, second], [undefined, undefined, 'DELIVERED']);
  });

  it('leaves the others of a key parked while one waits for its next try', async () => {
    const worker = engines.engine({ DELIVERY_RETRY_SCHEDULE_SECONDS: '3600' });
    const { id } = await scene.ordered(worker, inTurn(answer(500), answer(200)));
    const events = await scene.eventsOf('a', 3);
    await worker.settle(events);
    await scene.become(id, events, ['RETRYING', 'PARKED', 'PARKED']);
    const { rows } = await scene.pool.query<{ status: string; next: string | null }>(
      'select status, next_attempt_at as next from delivery_status where event_id = any ($1)',
      [idsOf(events.slice(1))],
    );
    expect(rows).toEqual(rows.map(() => ({ status: 'PARKED', next: null })));
    await expect(scene.hurry(events.map((event) => keyOf(event, id)))).resolves.toEqual([
      keyOf(events[0] as Event, id),
    ]);
    await scene.become(id, events.slice(0, 1), ['DELIVERED']);
  });

  it('is sent to by one worker that takes over the lease of another before anything later of the key', async () => {
    const worker = engines.engine(SOON);
    const { id, to } = await scene.ordered(worker, answer(200), { paused: true });
    const events = await scene.eventsOf('a', 3);
    await worker.settle(events);
    // A worker that was killed has leased the first, and its lease runs out.
    await scene.pool.query(
      `update delivery_queue set lease = gen_random_uuid(), due_at = now() + interval '700 ms' where event_id = $1`,
      [events[0]?.id],
    );
    await scene.pool.query('update destinations set paused_at = null');
    await scene.become(id, events, ['DELIVERED', 'DELIVERED', 'DELIVERED']);
    expect(sentTo(to)).toEqual(idsOf(events));
  });
});

describe('an event that cannot be delivered to an ordered destination', () => {
  const scene = new OrderScene();
  const { engines } = scene;
  const refuses =
    (refused: () => Event | undefined): Reaction =>
    (response, received) =>
      answer(received.headers['webhook-id'] === refused()?.id ? 400 : 200)(response, received);

  it('blocks its key until an operator retries it, and no other key', async () => {
    const worker = engines.engine(NEVER_AGAIN);
    let refused: Event | undefined;
    const { id, to } = await scene.ordered(
      worker,
      refuses(() => refused),
    );
    const events = await scene.eventsOf('a', 3);
    const [other] = await scene.eventsOf('b', 1);
    refused = events[0];
    await worker.settle([...events, other as Event]);
    await scene.become(id, [...events, other as Event], ['FAILED', 'PARKED', 'PARKED', 'DELIVERED']);
    await scene.keepOrder();
    await scene.become(id, events, ['FAILED', 'PARKED', 'PARKED']);
    refused = undefined;
    await scene.retry([keyOf(events[0] as Event, id)]);
    await scene.keepOrder();
    await scene.become(id, events, ['DELIVERED', 'DELIVERED', 'DELIVERED']);
    expect(sentTo(to).slice(2)).toEqual(idsOf(events));
    await scene.keepOrder();
    await expect(countRows(scene.pool, 'ordered_keys')).resolves.toBe(0);
  });

  it('blocks its key until an operator discards it', async () => {
    const worker = engines.engine(NEVER_AGAIN);
    const events = await scene.eventsOf('a', 3);
    const { id } = await scene.ordered(
      worker,
      refuses(() => events[0]),
    );
    await worker.settle(events);
    await scene.become(id, events, ['FAILED', 'PARKED', 'PARKED']);
    await scene.discard([keyOf(events[0] as Event, id), keyOf(events[1] as Event, id)]);
    await scene.keepOrder();
    await scene.become(id, events, ['DISCARDED', 'DISCARDED', 'DELIVERED']);
  });

  it('is passed over with onPoison skip, and keeps its place when it is retried', async () => {
    const worker = engines.engine({ DELIVERY_RETRY_SCHEDULE_SECONDS: '1' });
    let refused: Event | undefined;
    let fails: Event | undefined;
    const { id, to } = await scene.ordered(
      worker,
      (response, received) => {
        const { 'webhook-id': sent } = received.headers;
        answer(sent === refused?.id ? 400 : sent === fails?.id ? 500 : 200)(response, received);
      },
      { onPoison: 'skip' },
    );
    const events = await scene.eventsOf('a', 4);
    [refused, , fails] = events;
    await worker.settle(events);
    await scene.become(id, events, ['FAILED', 'DELIVERED', 'RETRYING', 'PARKED']);
    refused = fails = undefined;
    await scene.retry([keyOf(events[0] as Event, id)]);
    await scene.keepOrder();
    await scene.become(id, events, ['DELIVERED', 'DELIVERED', 'DELIVERED', 'DELIVERED']);
    const [a, b, c, d] = idsOf(events);
    expect(sentTo(to)).toEqual([a, b, c, a, c, d]);
  });

  it('is delivered when it is retried alone, after everything of its key', async () => {
    const worker = engines.engine(NEVER_AGAIN);
    const { id } = await scene.ordered(worker, inTurn(answer(400), answer(200)));
    const only = await scene.event('a');
    await worker.settle([only]);
    await scene.become(id, [only], ['FAILED']);
    await scene.retry([keyOf(only, id)]);
    await scene.become(id, [only], ['PARKED']);
    await scene.keepOrder();
    await scene.become(id, [only], ['DELIVERED']);
  });

  it.each([
    ['block', 'PARKED'],
    ['skip', 'DELIVERED'],
  ] as const)('in a handler: with %s, the next event is %s', async (onPoison, status) => {
    const worker = engines.engine(SOON);
    const { id } = await scene.ordered(worker, answer(200), { onPoison });
    const [dead, next] = await scene.eventsOf('a', 2);
    await worker.settle([next as Event]);
    await scene.pool.query(
      `insert into event_state (event_id, status, generation, dispatch_no, attempts) values ($1, 'DLQ', 1, 2, 1)`,
      [dead?.id],
    );
    await scene.pool.query(
      `insert into dead_letters (event_id, tenant_id, type, reason_code, attempts, first_failed_at, last_failed_at)
       values ($1, 'acme', 'order.paid', 'TIMEOUT', 1, now(), now())`,
      [dead?.id],
    );
    await scene.keepOrder();
    await scene.become(id, [next as Event], [status]);
    await scene.pool.query(`update event_state set status = 'DISCARDED'`);
    await scene.keepOrder();
    await scene.become(id, [next as Event], ['DELIVERED']);
  });
});

describe('a delivery to an ordered destination that is made once more', () => {
  const scene = new OrderScene();
  const { engines } = scene;

  it.each(['a backfill', 'a reprocess', 'an edit'])('by %s, goes before what is open', async (by) => {
    const worker = engines.engine({ DELIVERY_RETRY_SCHEDULE_SECONDS: '3600' });
    const events = await scene.eventsOf('a', 3);
    let refused: Event | undefined;
    const { id, to } = await scene.ordered(
      worker,
      (response, received) => {
        const { 'webhook-id': sent } = received.headers;
        answer(sent === events[1]?.id ? 500 : sent === refused?.id ? 400 : 200)(response, received);
      },
      { onPoison: 'skip' },
    );
    const [old, later] = [events[0] as Event, events[1] as Event];
    if (by === 'an edit') refused = old;
    await worker.settle(events);
    await scene.become(id, events, [by === 'an edit' ? 'FAILED' : 'DELIVERED', 'RETRYING', 'PARKED']);
    refused = undefined;
    if (by === 'a backfill') await scene.backfill(id, old);
    else if (by === 'a reprocess') await worker.settle([old], { generation: 2 });
    else await scene.edit(old);
    await scene.keepOrder();
    await scene.become(id, events, ['DELIVERED', 'RETRYING', 'PARKED']);
    expect(sentTo(to).map((sent) => sent.split('.')[0])).toEqual(idsOf([old, later, old]));
    // The later one waits on for its own time.
    const { rows } = await scene.pool.query<{ hour: boolean }>(
      `select due_at between now() + interval '50 minutes' and now() + interval '61 minutes' as hour
         from delivery_queue where event_id = $1`,
      [later.id],
    );
    expect(rows).toEqual([{ hour: true }]);
  });
});

describe('a destination that wants the latest only', () => {
  const scene = new OrderScene();
  const { engines } = scene;
  const at = (minute: number): Record<string, unknown> => ({ occurredAt: `2026-01-01T00:0${minute}:00.000Z` });

  it('is not sent what occurred before what it was delivered of the key', async () => {
    const worker = engines.engine(SOON);
    const { id, to } = await scene.ordered(worker, answer(200), { latestOnly: true });
    const events = [
      await scene.event('a', 0, at(2)),
      await scene.event('a', 1, at(1)),
      await scene.event('a', 2, at(2)),
      await scene.event('a', 3, at(3)),
      await scene.event('b', 4, at(1)),
    ];
    await worker.settle(events);
    await scene.become(id, events, ['DELIVERED', 'SKIPPED', 'DELIVERED', 'DELIVERED', 'DELIVERED']);
    expect(sentTo(to)).not.toContain(events[1]?.id);
    const { rows } = await scene.pool.query(
      `select last_reason_code as reason, (select count(*)::int from delivery_closings) as closings
         from deliveries where status = 'SKIPPED'`,
    );
    expect(rows).toEqual([{ reason: 'SUPERSEDED', closings: 1 }]);
    const late = await scene.event('a', 5, at(2));
    await worker.settle([late]); // the memory outlasts the queue
    await scene.become(id, [late], ['SKIPPED']);
  });
});

describe('changes of an ordered destination', () => {
  const scene = new OrderScene();
  const { engines } = scene;

  it('its deliveries are due at once when it is not ordered any more', async () => {
    const worker = engines.engine({ DELIVERY_RETRY_SCHEDULE_SECONDS: '3600' });
    const { id } = await scene.ordered(worker, inTurn(answer(500)));
    const events = await scene.eventsOf('a', 3);
    await worker.settle(events);
    await scene.become(id, events, ['RETRYING', 'PARKED', 'PARKED']);
    await scene.pool.query(`update destinations set ordering = 'none'`);
    await scene.keepOrder();
    await scene.become(id, events, ['RETRYING', 'RETRYING', 'RETRYING']);
  });

  it('goes on past an event that a worker without knowledge of the order has settled', async () => {
    const worker = engines.engine(SOON);
    const { id } = await scene.ordered(worker, answer(200));
    const [first, second] = await scene.eventsOf('a', 2);
    await scene.pool.query(
      `insert into processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code, duration_ms,
                                        worker) values ($1, 1, 1, 1, 'SUCCESS', 'PROCESSED', 1, 'before')`,
      [first?.id],
    );
    await worker.settle([second as Event]);
    await scene.become(id, [second as Event], ['PARKED']);
    await scene.keepOrder();
    await scene.become(id, [second as Event], ['DELIVERED']);
    await expect(countRows(scene.pool, 'ordered_events')).resolves.toBe(0);
  });

  it('an unordered destination of the same tenant gets the events at once', async () => {
    const worker = engines.engine({ DELIVERY_RETRY_SCHEDULE_SECONDS: '3600' });
    const { id } = await scene.ordered(worker, answer(500));
    const to = await engines.receiver();
    const parallel = await worker.destination({ url: to.url });
    const events = await scene.eventsOf('a', 5);
    await worker.settle(events);
    await scene.become(parallel, events, Array<string>(5).fill('DELIVERED'));
    await scene.become(id, events, ['RETRYING', ...Array<string>(4).fill('PARKED')]);
  });
});
