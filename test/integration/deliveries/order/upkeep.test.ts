import { discardDeadLetters } from '../../../../src/event-state/discard-dead-letters.queries';
import { keepOrder } from '../../../../src/delivery-state/order/keep-order';
import { handOnTurns } from '../../../../src/event-state/order/key-turns.queries';
import type { Event } from '../../../../src/event/event';
import { answer, inTurn } from '../../../support/receivers/receiver';
import { countRows, givenState } from '../../../support/rows';
import { keyOf, NEVER_AGAIN, OrderScene, sentTo, SOON } from './order-scene';

describe('the upkeep of ordered keys', () => {
  const scene = new OrderScene();
  const { engines } = scene;

  it('goes on within a second after a dead letter was discarded, whatever other keys there are', async () => {
    const worker = engines.engine(SOON);
    const { id } = await scene.ordered(worker, answer(200));
    const [first, second] = (await scene.eventsOf('a', 2)) as [Event, Event];
    await givenState(scene.pool, first, { status: 'DLQ' });
    await worker.settle([second]);
    await scene.become(id, [second], ['PARKED']);
    await expect(discardDeadLetters(scene.pool, [first.id], undefined)).resolves.toEqual([first.id]);
    await keepOrder(scene.pool, handOnTurns); // no key is due for a look
    await scene.become(id, [second], ['DELIVERED']);
    for (const table of ['ordered_events', 'ordered_keys', 'changed_keys'])
      expect([table, await countRows(scene.pool, table)]).toEqual([table, 0]);
  });

  it('forgets a failure that was retried with success', async () => {
    const worker = engines.engine(NEVER_AGAIN);
    const { id } = await scene.ordered(worker, inTurn(answer(400), answer(200)));
    const [first] = (await scene.eventsOf('a', 1)) as [Event];
    await worker.settle([first]);
    await scene.become(id, [first], ['FAILED']);
    await expect(countRows(scene.pool, 'ordered_failures')).resolves.toBe(1);
    await scene.retry([keyOf(first, id)]);
    await keepOrder(scene.pool, handOnTurns);
    await expect(countRows(scene.pool, 'ordered_failures')).resolves.toBe(0);
    await scene.become(id, [first], ['DELIVERED']);
  });

  it('forgets the events of a tenant without ordered destinations, but not those that a handler takes in order', async () => {
    const worker = engines.engine(SOON);
    const { id } = await scene.ordered(worker, answer(200));
    const [, byHandler] = (await scene.eventsOf('a', 2)) as [Event, Event];
    await scene.eventsOf('b', 2);
    await scene.pool.query(`update ordered_events set on_poison = 'block' where event_id = $1`, [byHandler.id]);
    await keepOrder(scene.pool, handOnTurns);
    await expect(countRows(scene.pool, 'ordered_events')).resolves.toBe(4);
    await scene.pool.query(`update destinations set ordering = 'none' where id = $1`, [id]);
    await keepOrder(scene.pool, handOnTurns);
    const { rows } = await scene.pool.query('select event_id as id from ordered_events');
    expect(rows).toEqual([{ id: byHandler.id }]);
  });

  it('examines a bounded number of parked deliveries for `latestOnly`, and skips each before it is sent', async () => {
    const worker = engines.engine(SOON);
    const { id, to } = await scene.ordered(worker, answer(200), { latestOnly: true });
    const at = (minute: number) => ({ occurredAt: `2026-01-01T01:${String(minute).padStart(2, '0')}:00.000Z` });
    const newest = await scene.event('a', 0, at(59));
    const older: Event[] = [];
    for (let n = 0; n < 130; n++) older.push(await scene.event('a', n, at(n % 50)));
    await worker.settle(older);
    await worker.settle([newest]);
    await scene.become(
      id,
      older,
      older.map(() => 'SKIPPED'),
    );
    expect(sentTo(to)).toEqual([newest.id]);
  });
});
