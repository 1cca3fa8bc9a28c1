import { admin, givenCompleted, givenDeadLetters } from '../../support/admin';
import { useApp } from '../../support/fixtures/app';
import { getEvent } from '../../support/e2e-http';
import { deliveryRows, disable, givenDelivery, givenDestinationRow } from '../../support/deliveries';
import type { Event } from '../../../src/event/event';

interface Letter {
  id: string;
  reasonCode: string;
  errorMessage: string | null;
  attempts: number;
  exhausted: boolean;
  destinationIds: string[];
}
interface Reason {
  id: string;
  reasonCode: string;
  destinationId: string | null;
  errorMessage: string;
  count: number;
}
interface Changed {
  matched: number;
  retried: number;
  discarded: number;
  skipped: number;
}

describe('dead letters whose deliveries failed', () => {
  const api = useApp({ APP_ROLE: 'api' });
  const list = async (query: string) =>
    (await admin<{ deadLetters: Letter[] }>(api.url, `dlq?${query}`)).body.deadLetters;
  const reasonsOf = async (query: string) =>
    (await admin<{ reasons: Reason[]; total: number }>(api.url, `dlq/reasons?${query}`)).body;
  const change = async (verb: 'retry' | 'discard', filter: object) =>
    (await admin<Changed>(api.url, `dlq/${verb}`, filter)).body;

  const fail = (event: Event, destinationId: string, more: Partial<Parameters<typeof givenDelivery>[1]> = {}) =>
    givenDelivery(api.pool, {
      ...{ eventId: event.id, destinationId, tenantId: event.tenantId, type: event.type, status: 'FAILED' },
      ...{
        attempts: 10,
        exhausted: true,
        lastReasonCode: 'HTTP_5XX',
        lastStatusCode: 503,
        lastError: `503 for ${event.id}`,
      },
      ...more,
    });
  const statusesOf = async (event: Event) =>
    (await deliveryRows(api.pool)).filter(({ eventId }) => eventId === event.id).map(({ status }) => status);

  it('are listed with their cause, and grouped by destination and cause', async () => {
    const tenantId = 'causes';
    const [first, second] = [await givenDestinationRow(api.pool), await givenDestinationRow(api.pool)];
    const [one, two, open, done] = (await givenCompleted(api.pool, 4, tenantId)) as [Event, Event, Event, Event];
    const [letter] = (await givenDeadLetters(api.pool, 1, { tenantId })) as [Event];
    await fail(one, first);
    await fail(two, first);
    await fail(two, second, { lastReasonCode: 'HTTP_4XX', lastStatusCode: 410, lastError: 'gone', exhausted: false });
    await fail(open, first);
    await givenDelivery(api.pool, { eventId: open.id, destinationId: second, tenantId });
    await fail(done, first);
    await fail(done, first, { generation: 2, status: 'DELIVERED' });

    const listed = await list(`tenantId=${tenantId}`);
    expect(listed.map(({ id }) => id)).toEqual([letter.id, two.id, one.id]);
    expect(listed).toMatchObject([
      { reasonCode: 'HTTP_5XX', exhausted: false, destinationIds: [] },
      { destinationIds: [first, second] },
      { ...{ reasonCode: 'HTTP_5XX', exhausted: true, attempts: 10 }, destinationIds: [first] },
    ]);
    const { reasons, total } = await reasonsOf(`tenantId=${tenantId}`);
    expect(total).toBe(4);
    expect(reasons).toMatchObject([
      { reasonCode: 'HTTP_5XX', destinationId: first, errorMessage: '<n> for <id>', count: 2 },
      { reasonCode: 'HTTP_4XX', destinationId: second, errorMessage: 'gone', count: 1 },
      { reasonCode: 'HTTP_5XX', destinationId: null, errorMessage: 'it broke', count: 1 },
    ]);
    for (const { id, count } of reasons) expect(await list(`tenantId=${tenantId}&group=${id}`)).toHaveLength(count);
    const gone = await admin<{ deliveries: object[] }>(api.url, `deliveries?group=${reasons[1]?.id}`);
    expect(gone.body.deliveries).toMatchObject([{ id: two.id, destinationId: second, status: 'FAILED' }]);
    expect(await list(`tenantId=${tenantId}&statusClass=4xx`)).toMatchObject([{ id: two.id }]);
    expect(await list(`tenantId=${tenantId}&destinationId=${second}`)).toMatchObject([{ id: two.id }]);
    expect(await list(`tenantId=${tenantId}&reasonCode=RETRY_EXHAUSTED`)).toMatchObject([
      { id: two.id },
      { id: one.id },
    ]);
  });

  it('are retried by their failed deliveries alone, of these the ones that the filter selects', async () => {
    const tenantId = 'retried';
    const [first, second] = [await givenDestinationRow(api.pool), await givenDestinationRow(api.pool)];
    const gone = await givenDestinationRow(api.pool);
    await disable(api.pool, gone);
    const [one, other] = (await givenCompleted(api.pool, 2, tenantId)) as [Event, Event];
    await fail(one, first);
    await fail(one, second);
    await fail(other, gone);
    const [letter] = (await givenDeadLetters(api.pool, 1, { tenantId })) as [Event];

    expect(await change('retry', { tenantId, destinationId: first })).toMatchObject({ matched: 1, retried: 1 });
    expect((await statusesOf(one)).sort()).toEqual(['FAILED', 'OPEN']);
    expect((await getEvent(api.url, tenantId, one.id)).body).toMatchObject({ status: 'DELIVERING' });

    await api.pool.query(`update deliveries set status = 'DELIVERED', settled_at = now() where status = 'OPEN'`);
    await api.pool.query('delete from delivery_queue');
    expect(await change('retry', { tenantId })).toMatchObject({ matched: 3, retried: 2, skipped: 1 });
    expect((await statusesOf(one)).sort()).toEqual(['DELIVERED', 'OPEN']);
    expect(await statusesOf(other)).toEqual(['FAILED']);
    const { rows } = await api.pool.query<{ event_id: string }>(
      'select event_id from outbox where destination = $1 and event_id = any ($2)',
      ['retry', [one.id, other.id, letter.id]],
    );
    expect(rows).toEqual([{ event_id: letter.id }]);
  });

  it('are discarded by their failed deliveries', async () => {
    const tenantId = 'discarded';
    const destinationId = await givenDestinationRow(api.pool);
    const events = await givenCompleted(api.pool, 2, tenantId);
    for (const event of events) await fail(event, destinationId);
    const filter = { tenantId, note: 'test data' };
    expect(await change('discard', { ...filter, dryRun: true })).toMatchObject({ matched: 2, discarded: 0 });
    expect(await change('discard', filter)).toMatchObject({ matched: 2, discarded: 2, skipped: 0 });
    for (const event of events) expect(await statusesOf(event)).toEqual(['DISCARDED']);
    expect(await list(`tenantId=${tenantId}`)).toEqual([]);
  });
});
