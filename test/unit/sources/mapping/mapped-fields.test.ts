import { compileMapping } from '../../../../src/sources/mapping/compile-mapping';
import { mapRecord } from '../../../../src/sources/mapping/map-request';
import type { JsonDocument } from '../../../../src/expressions/json-document';
import type { Mapping } from '../../../../src/sources/mapping/mapping';
import { ReceivedRequest } from '../../../../src/sources/request/received-request';

function mapped(body: string, mapping: Mapping): ReturnType<typeof mapRecord> {
  const request = new ReceivedRequest({
    method: 'POST',
    path: '/orders',
    url: 'https://events.example.com/in/x/orders',
    query: { shop: 'b' },
    headers: { 'content-type': 'application/json', 'x-topic': 'orders/create' },
    body: Buffer.from(body),
    address: '203.0.113.1',
    receivedAt: new Date(),
  });
  const document = request.document() as JsonDocument;
  return mapRecord(request, document, document, compileMapping(mapping));
}

describe('the fields that a mapping finds', () => {
  it.each([
    ['{"at":1767225600}', '2026-01-01T00:00:00.000Z'],
    ['{"at":1767225600000}', '2026-01-01T00:00:00.000Z'],
    ['{"at":"1767225600"}', '2026-01-01T00:00:00.000Z'],
    ['{"at":1767225600.25}', '2026-01-01T00:00:00.250Z'],
    ['{"at":1.7672256e9}', '2026-01-01T00:00:00.000Z'], // a number is what it is worth
    ['{"at":"2026-01-01T01:00:00+01:00"}', '2026-01-01T01:00:00+01:00'],
    ['{"at":"2026-01-01 01:00:00+0100"}', '2026-01-01T01:00:00+01:00'],
    ['{"at":"2026-01-01 00:00:00 UTC"}', '2026-01-01T00:00:00Z'],
    ['{"at":"Thu, 01 Jan 2026 00:00:00 +0000"}', '2026-01-01T00:00:00.000Z'],
    ['{"at":"soon"}', 'soon'], // refused with the name of the field
  ])('read the time in %s', async (body, occurredAt) => {
    expect(await mapped(body, { occurredAt: '/at' })).toMatchObject({ occurredAt });
  });

  it('are the digits of a number as sent, the first of a list that is there, and templates', async () => {
    const found = await mapped('{"id":12345678901234567890,"b":"x"}', {
      eventId: '/id',
      subject: ['/a', '/b'],
      eventType: { template: '{header:x-topic}' },
      partitionKey: '$query.shop',
    });
    expect(found).toMatchObject({
      eventId: '12345678901234567890',
      subject: 'x',
      eventType: 'orders/create',
      partitionKey: 'b',
    });
  });

  it('are a new id each time, where a record has none', async () => {
    const mapping = { eventId: ['/id', { template: '{newId}' }] };
    const idOf = async (body: string): Promise<string | undefined> => {
      const found = await mapped(body, mapping);
      return 'eventId' in found ? found.eventId : undefined;
    };
    expect(await idOf('{"id":"n-1"}')).toBe('n-1');
    expect(await idOf('{}')).toMatch(/^[\da-f-]{36}$/);
    expect(await idOf('{}')).not.toBe(await idOf('{}'));
  });

  it.each(['null', '""', '0', 'false', '[]'])('take %s for a payload', async (payload) => {
    const found = await mapped(`{"p":${payload}}`, { payload: '/p' });
    expect('payload' in found && found.payload.text).toBe(payload);
  });

  it.each(['{}', '{"id":null}', '{"id":""}'])('reject %s, where a text is missing', async (body) => {
    expect(await mapped(body, { eventId: '/id' })).toMatchObject({
      rejection: { code: 'invalid-event', message: 'mapping.eventId: /id finds nothing' },
    });
  });

  it('reject an object where a text is needed', async () => {
    expect(await mapped('{"id":{}}', { eventId: '/id' })).toMatchObject({
      rejection: { message: 'mapping.eventId: it must find a text or a number' },
    });
  });
});
