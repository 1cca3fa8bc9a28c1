import type { OutgoingMessage } from '../../../src/broker/broker';
import type { Event } from '../../../src/event/event';
import { dispatchDeadLetters } from '../../../src/event-state/dispatch-dead-letters.queries';
import { readProgress } from '../../../src/event-state/open-attempts.queries';
import { readDispatchedEvent } from '../../../src/worker/consume/read-message';
import { givenDeadLetters } from '../../support/admin';
import { useOutbox } from '../../support/fixtures/outbox';
import { givenRevision, REVISED_HASH } from '../../support/revisions';
import { attemptRows, delivered, givenState, outboxRows, setEntries, stateRow } from '../../support/rows';
import { SettlerFixture } from '../../support/settler';

const PAYLOAD = '{ "amount": 10.10, "id": 12345678901234567890 }';

/** A dead letter with revision 2. */
async function givenRevised(pool: Parameters<typeof givenDeadLetters>[0]): Promise<Event> {
  const [event] = (await givenDeadLetters(pool, 1)) as [Event];
  await givenRevision(pool, event, 2, PAYLOAD);
  return event;
}

describe('the message of a revised event', () => {
  const outbox = useOutbox();
  const published = async (event: Event): Promise<OutgoingMessage> => {
    await outbox.publisherTo(outbox.broker).runOnce();
    const message = outbox.broker.received.find(({ id }) => id === event.id);
    if (!message) throw new Error('it was not published');
    return message;
  };

  it('carries the newest revision exactly, with its own hash', async () => {
    const event = await givenRevised(outbox.pool);
    await givenRevision(outbox.pool, event, 3, PAYLOAD);
    await dispatchDeadLetters(outbox.pool, [event.id]);
    const message = await published(event);
    expect(message.body.toString()).toContain(`"payload":${PAYLOAD},"revision":3}`);
    expect(JSON.parse(message.body.toString())).toMatchObject({ id: event.id, hash: REVISED_HASH });
    expect(readDispatchedEvent(message)).toMatchObject({ revision: 3, generation: 1, dispatchNo: 3 });
  });

  it('is none to a worker of the build before, which takes only generations from 1', async () => {
    const event = await givenRevised(outbox.pool);
    const [retried] = await dispatchDeadLetters(outbox.pool, [event.id]);
    expect(retried).toMatchObject({ generation: 1 }); // for the caller
    expect((await outboxRows(outbox.pool, event)).at(-1)).toMatchObject({ generation: -1 });
    const { headers, ...rest } = await published(event);
    expect(headers).toMatchObject({ generation: -1, revision: 2 });
    // A publisher of the build before reads no revision, and sends the payload as it was sent.
    const { revision: _unknown, ...old } = headers;
    expect(readDispatchedEvent({ ...rest, headers: old })).toBeUndefined();
  });

  it('is sent again by the reconciler when it is lost', async () => {
    const event = await givenRevised(outbox.pool);
    await dispatchDeadLetters(outbox.pool, [event.id]);
    await setEntries(outbox.pool, [event], 'PUBLISHED');
    await outbox.pool.query(
      `update outbox set created_at = created_at - interval '1 hour', closed_at = closed_at - interval '1 hour'`,
    );
    await outbox.reconcilerOf(outbox.broker).runOnce();
    expect(await outbox.countDispatchedAgain()).toBeGreaterThan(0);
    expect(readDispatchedEvent(await published(event))).toMatchObject({ revision: 2, generation: 1, dispatchNo: 4 });
  });

  it('fails when its revision is no longer stored', async () => {
    const event = await givenRevised(outbox.pool);
    await dispatchDeadLetters(outbox.pool, [event.id]);
    await outbox.pool.query('delete from event_revisions where event_id = $1', [event.id]);
    await outbox.publisherTo(outbox.broker).runOnce();
    expect(outbox.broker.received).toEqual([]);
    expect((await outboxRows(outbox.pool, event)).at(-1)).toMatchObject({ status: 'FAILED' });
  });

  it('is one of few in a claim, since its size is not known there', async () => {
    const events = await givenDeadLetters(outbox.pool, 20);
    for (const event of events) await givenRevision(outbox.pool, event, 2, '1');
    await dispatchDeadLetters(
      outbox.pool,
      events.map(({ id }) => id),
    );
    await outbox.publisherTo(outbox.broker).runOnce();
    expect(outbox.broker.received).toHaveLength(16);
    await outbox.publisherTo(outbox.broker).runOnce();
    expect(outbox.broker.received).toHaveLength(20);
  });
});

describe('a worker', () => {
  const fixture = new SettlerFixture();

  it.each([
    ['the event as it was sent', undefined],
    ['an older revision', 2],
    ['a revision that does not exist', 4],
  ])('I11: does not run %s once revision 3 is the newest', async (_what, revision) => {
    const event = await fixture.given();
    await givenState(fixture.pool, event, { status: 'DISPATCHED', dispatchNo: 2 });
    for (const number of [2, 3]) await givenRevision(fixture.pool, event, number, PAYLOAD);
    const stale = delivered(event, { dispatchNo: 2, ...(revision === undefined ? {} : { revision }) });
    const newest = delivered(event, { dispatchNo: 2, revision: 3 });
    const progress = await readProgress(fixture.pool, [stale, newest]);
    expect([progress.get(stale)?.current, progress.get(newest)?.current]).toEqual([false, true]);
    await fixture.settle(stale);
    expect(await attemptRows(fixture.pool, event)).toEqual([]);
    expect(await stateRow(fixture.pool, event)).toMatchObject({ status: 'DISPATCHED' });
    const other = await fixture.given();
    await fixture.settle(delivered(other), newest);
    expect(await attemptRows(fixture.pool, event)).toMatchObject([{ status: 'SUCCESS', dispatchNo: 2 }]);
    expect(await attemptRows(fixture.pool, other)).toMatchObject([{ status: 'SUCCESS' }]);
    expect(await stateRow(fixture.pool, event)).toMatchObject({ status: 'COMPLETED' });
  });

  it('keeps the revision of an event that fails again, for its retry and its copy in events.dlq', async () => {
    const event = await fixture.given('test.failing');
    await givenState(fixture.pool, event, { status: 'DISPATCHED', dispatchNo: 2, attempts: 0 });
    await givenRevision(fixture.pool, event, 2, PAYLOAD);
    await fixture.settle(delivered(event, { dispatchNo: 2, revision: 2 }));
    await fixture.nextDispatch(event, 3);
    await fixture.settle(delivered(event, { dispatchNo: 3, revision: 2 }));
    await fixture.nextDispatch(event, 4);
    await fixture.settle(delivered(event, { dispatchNo: 4, revision: 2 }));
    expect(await stateRow(fixture.pool, event)).toMatchObject({ status: 'DLQ' });
    const { rows } = await fixture.pool.query<{ destination: string; generation: number; revision: number }>(
      'select destination, generation, revision from outbox where event_id = $1 and dispatch_no > 2 order by id',
      [event.id],
    );
    expect(rows).toEqual([
      { destination: 'retry', generation: -1, revision: 2 },
      { destination: 'retry', generation: -1, revision: 2 },
      { destination: 'dlq', generation: 1, revision: 2 },
    ]);
  });
});
