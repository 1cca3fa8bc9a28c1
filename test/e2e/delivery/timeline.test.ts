import * as path from 'node:path';
import { admin } from '../../support/admin';
import { givenOperator } from '../../support/credentials';
import { deliveryRows } from '../../support/deliveries';
import { call, postEvent } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useGateway } from '../../support/fixtures/gateway';
import { admin as destinationsOf, givenDestination } from '../../support/receivers/destinations';
import { answer } from '../../support/receivers/receiver';

interface Entry {
  at: string;
  kind: string;
  actor: string | null;
  text: string;
  note: string | null;
  data: Record<string, unknown>;
}

const TENANT = 'acme';
const SECRET = 'payload-that-no-timeline-shows';

describe('the timeline of an event', () => {
  const gateway = useGateway({
    ...{ MAX_RETRY_ATTEMPTS: '2', RETRY_BACKOFF_MS: '50', RETRY_JITTER: '0', DELIVERY_RETRY_SCHEDULE_SECONDS: '0.05' },
    NODE_OPTIONS: `--require ${path.resolve(__dirname, '../../support/processes/misbehaving-handler.js')}`,
  });

  const act = async (route: string, body: object, token?: string): Promise<void> => {
    const headers = token === undefined ? {} : { 'x-admin-token': token };
    const { status, text } = await admin(gateway.url, route, body, headers);
    expect([status, text]).toEqual([202, text]);
  };
  const timelineOf = async (id: string): Promise<{ entries: Entry[]; text: string }> => {
    const { body, text } = await admin<{ entries: Entry[] }>(gateway.url, `events/${id}/timeline`);
    return { entries: body.entries, text };
  };
  const deliveriesAre = (...statuses: string[]) =>
    eventually(async () => {
      expect((await deliveryRows(gateway.pool)).map(({ status }) => status).sort()).toEqual(statuses.sort());
    });

  it('tells in sentences what became of an event that went through everything', async () => {
    const ada = (await givenOperator(gateway.pool, { role: 'operator', name: 'ada' })).text;
    await eventually(async () => {
      const { status } = await call(`${gateway.url}/v1/admin/events`, { headers: { 'x-admin-token': ada } });
      expect(status).toBe(200);
    });
    const to = { tenantId: TENANT, url: gateway.receiver.url };
    const orders = await givenDestination(gateway.url, { ...to, uid: 'orders' });
    gateway.receiver.reaction = answer(500, {}, 'closed today');

    // The handlers fail twice, an operator retries the dead letter, and then they succeed.
    const body = `{"eventType":"test.twice","eventId":"sale-1","subject":"o","payload":{"secret":"${SECRET}"}}`;
    const { id } = (await postEvent(gateway.url, TENANT, body)).body;
    await gateway.settled(TENANT, id, 'DLQ');
    await act('dlq/retry', { tenantId: TENANT, note: 'the handler is mended' }, ada);
    // The receiver fails twice, an operator retries the delivery, and then it takes the event.
    await deliveriesAre('FAILED');
    gateway.receiver.reaction = answer(200);
    await act('deliveries/retry', { tenantId: TENANT, note: 'the receiver is back' }, ada);
    await gateway.settled(TENANT, id, 'COMPLETED');
    // Another destination is added, filled, and deleted.
    const audit = await givenDestination(gateway.url, { ...to, uid: 'audit' });
    const range = { from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' };
    await act(`destinations/${audit.id}/backfill`, { ...range, note: 'a new receiver' }, ada);
    await deliveriesAre('DELIVERED', 'DELIVERED');
    gateway.receiver.reaction = answer(400);
    await act('replay', { tenantId: TENANT, destinationId: orders.id, mode: 'reprocess', eventIds: [id] }, ada);
    await deliveriesAre('DELIVERED', 'DELIVERED', 'FAILED');
    await act('deliveries/discard', { tenantId: TENANT, note: 'not needed' }, ada);
    await deliveriesAre('DELIVERED', 'DELIVERED', 'DISCARDED');
    await destinationsOf(gateway.url, 'DELETE', `/${audit.id}`);

    const { entries, text } = await timelineOf(id);
    expect(text).not.toContain(SECRET);
    expect(entries.map(({ at }) => at)).toEqual(entries.map(({ at }) => at).toSorted());
    // The publisher records a dispatch about when the worker settles it.
    const published = entries.filter(({ kind }) => kind === 'published').map((entry) => entry.text);
    expect(published).toContain('Dispatch 1 was published to the broker.');
    const told = entries
      .filter(({ kind }) => kind !== 'published')
      .map((one) => [one.actor, one.text.replace(/\d+ ms/, 'N ms'), one.note]);
    const streamforge = (sentence: string) => ['streamforge', sentence, null];
    const deleted = `destination ${audit.id}`;
    expect(told).toEqual([
      streamforge('Event "sale-1" of type test.twice was received.'),
      streamforge('Attempt 1 of the handlers failed with HANDLER_ERROR: it breaks in dispatch 1.'),
      streamforge('Attempt 2 of the handlers failed with HANDLER_ERROR: it breaks in dispatch 2.'),
      streamforge(
        'The event became a dead letter, because no attempt was left. The cause is HANDLER_ERROR: it breaks in dispatch 2.',
      ),
      ['ada', 'The dead letter was retried.', 'the handler is mended'],
      streamforge('Attempt 1 of the handlers succeeded in N ms.'),
      streamforge('The delivery to orders was recorded.'),
      streamforge('Attempt 1 of the delivery to orders failed with HTTP_5XX (HTTP 500) after N ms.'),
      streamforge('Attempt 2 of the delivery to orders failed with HTTP_5XX (HTTP 500) after N ms.'),
      ['ada', 'The delivery to orders was retried.', 'the receiver is back'],
      streamforge('Attempt 3 of the delivery to orders succeeded (HTTP 200) after N ms.'),
      ['ada', `The delivery to ${deleted} was recorded by a backfill.`, 'a new receiver'],
      streamforge(`Attempt 1 of the delivery to ${deleted} succeeded (HTTP 200) after N ms.`),
      ['ada', 'Delivery 2 to orders was recorded by a replay.', null],
      ['ada', 'The event was replayed to orders with mode reprocess: a new delivery is made.', null],
      streamforge('Attempt 1 of delivery 2 to orders failed with HTTP_4XX (HTTP 400) after N ms.'),
      ['ada', 'The delivery to orders was discarded.', 'not needed'],
    ]);
    const excerpts = entries.map(({ data }) => data.responseExcerpt).filter((excerpt) => typeof excerpt === 'string');
    expect(excerpts).toContain('closed today');
  });

  it('begins with the rejection that the event came from', async () => {
    const { id } = (await postEvent(gateway.url, TENANT, '{"eventType":"order.paid","subject":"o","payload":1}')).body;
    await gateway.pool.query(
      `insert into rejections (id, tenant_id, endpoint, code, pointer, message, correlation_id, received_at, size_bytes,
                               digest, body, status, settled_at, event_id, duplicate)
       select uuid_v7_floor(received_at - interval '1 hour'), tenant_id, 'event', 'invalid-event', '/subject',
              'subject is missing', 'c', received_at - interval '1 hour', 1, '', '', 'RESUBMITTED',
              received_at + interval '1 second', id, false
         from events where id = $1`,
      [id],
    );
    const told = (await timelineOf(id)).entries.map(({ kind, text }) => [kind, text]);
    expect(told[0]).toEqual(['rejected', 'The record was refused with invalid-event: subject is missing.']);
    expect(told[1]?.[0]).toBe('received');
    expect(told).toContainEqual(['resubmitted', 'The rejection was sent in again and became this event.']);
  });
});
