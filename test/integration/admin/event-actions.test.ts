import { forgetEventsBelow } from '../../../src/event-state/forget-events.queries';
import type { Event } from '../../../src/event/event';
import { uuidV7Floor } from '../../../src/event/uuid-v7';
import { admin, givenCompleted, givenDeadLetters } from '../../support/admin';
import { disable, givenDelivery, givenDestinationRow } from '../../support/deliveries';
import { useApp } from '../../support/fixtures/app';
import { countRows, setEntries } from '../../support/rows';

describe('the events that an action of an operator has changed', () => {
  const api = useApp({ APP_ROLE: 'api' });

  const act = async (path: string, body: object): Promise<string> => {
    const { status, body: done } = await admin<{ actionId: string }>(api.url, path, body);
    expect(status).toBe(202);
    return done.actionId;
  };
  const changedBy = async (actionId: string): Promise<{ eventId: string; destinationIds: string[] }[]> => {
    const { rows } = await api.pool.query<{ eventId: string; destinationIds: string[] }>(
      `select event_id as "eventId", destination_ids as "destinationIds" from event_actions where action_id = $1
        order by event_id`,
      [actionId],
    );
    return rows;
  };
  const failed = (event: Event, destinationId: string) =>
    givenDelivery(api.pool, {
      ...{ eventId: event.id, destinationId, tenantId: event.tenantId, status: 'FAILED', attempts: 1 },
      ...{ lastReasonCode: 'HTTP_5XX', lastStatusCode: 503 },
    });

  it.each(['retry', 'discard'])('are recorded by dlq/%s, with the destinations of the deliveries', async (verb) => {
    const tenantId = `dlq-${verb}`;
    const [first, second] = [await givenDestinationRow(api.pool), await givenDestinationRow(api.pool)];
    const [event] = (await givenCompleted(api.pool, 1, tenantId)) as [Event];
    await failed(event, first);
    await failed(event, second);
    const [letter] = (await givenDeadLetters(api.pool, 1, { tenantId })) as [Event];
    const id = await act(`dlq/${verb}`, { tenantId });
    await expect(changedBy(id)).resolves.toEqual([
      { eventId: event.id, destinationIds: [first, second] },
      { eventId: letter.id, destinationIds: [] },
    ]);
  });

  it('are recorded by deliveries/retry and discard, without those that were skipped', async () => {
    const tenantId = 'deliveries';
    const given = () => givenDestinationRow(api.pool, { tenantId });
    const [open, gone] = [await given(), await given()];
    await disable(api.pool, gone);
    const [event, other] = (await givenCompleted(api.pool, 2, tenantId)) as [Event, Event];
    await failed(event, open);
    await failed(other, gone);
    const retried = await act('deliveries/retry', { tenantId });
    await expect(changedBy(retried)).resolves.toEqual([{ eventId: event.id, destinationIds: [open] }]);
    const discarded = await act('deliveries/discard', { tenantId });
    await expect(changedBy(discarded)).resolves.toEqual([{ eventId: other.id, destinationIds: [gone] }]);
    await api.pool.query(`update delivery_queue set due_at = now() + interval '1 hour'`);
    const hurried = await act('deliveries/retry', { tenantId, status: 'RETRYING' });
    await expect(changedBy(hurried)).resolves.toEqual([{ eventId: event.id, destinationIds: [open] }]);
  });

  it('are recorded by outbox/retry', async () => {
    const [event] = (await givenCompleted(api.pool, 1, 'outbox')) as [Event];
    await setEntries(api.pool, [event], 'FAILED');
    const id = await act('outbox/retry', {});
    await expect(changedBy(id)).resolves.toEqual([{ eventId: event.id, destinationIds: [] }]);
  });

  it('are recorded by a dry run not at all, and are forgotten with the events', async () => {
    const before = await countRows(api.pool, 'event_actions');
    expect(before).toBeGreaterThan(0);
    await givenDeadLetters(api.pool, 1, { tenantId: 'dry' });
    await admin(api.url, 'dlq/retry', { tenantId: 'dry', dryRun: true });
    await expect(countRows(api.pool, 'event_actions')).resolves.toBe(before);
    await forgetEventsBelow(api.pool, uuidV7Floor(Infinity), 1_000);
    await expect(countRows(api.pool, 'event_actions')).resolves.toBe(0);
  });
});
