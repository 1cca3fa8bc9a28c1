import { useApp } from '../../support/fixtures/app';
import { givenSource, type GivenSource } from '../../support/sources';
import { sendWebhook, SIGNED_BODY, WEBHOOK_SECRET } from '../../support/sources/webhooks';

describe('values that PostgreSQL or a Date cannot hold', () => {
  const running = useApp();
  const given = (mapping: object): Promise<GivenSource> =>
    givenSource(running.app, running.pool, {
      verification: SIGNED_BODY,
      secrets: [WEBHOOK_SECRET],
      mapping: { eventType: '/type', subject: '/subject', ...mapping },
    });
  const codeOf = async (source: GivenSource, body: string): Promise<unknown[]> => {
    const { status, body: answer } = await sendWebhook(`${running.url}${source.path}`, body);
    return [status, answer.errors?.[0]?.code];
  };

  it('U+0000 in an idempotency key is a rejection', async () => {
    const source = await given({ idempotencyKey: '/key' });
    const body = '{"type":"a","subject":"b","key":"\\u0000"}';
    expect(await codeOf(source, body)).toEqual([200, 'unsupported-character']);
  });

  it('U+0000 in the name of an extension of a CloudEvent is a rejection', async () => {
    const source = await givenSource(running.app, running.pool, {
      provider: 'cloudevents',
      verification: SIGNED_BODY,
      secrets: [WEBHOOK_SECRET],
    });
    const body = '{"specversion":"1.0","id":"2","source":"s","type":"t","\\u0000x":1}';
    expect(await codeOf(source, body)).toEqual([200, 'unsupported-character']);
  });

  it('a date that is none is a rejection', async () => {
    const source = await given({ occurredAt: '/at' });
    const body = '{"type":"a","subject":"b","at":"Sat, 99 Jan 2026 12:00:00 GMT"}';
    expect(await codeOf(source, body)).toEqual([200, 'invalid-event']);
  });

  it('an event that came with U+0000 in the query can be read', async () => {
    const source = await given({});
    const sent = await sendWebhook(`${running.url}${source.path}?x=%00`, '{"type":"a","subject":"q"}');
    const read = await running.http.get(`/v1/events/${sent.body.id}`).set('X-Tenant-Id', 'acme');
    expect([sent.status, read.status]).toEqual([200, 200]);
  });
});
