import { JsonDocument } from '../../../../src/expressions/json-document';
import { isCloudEvent } from '../../../../src/sources/intake/is-cloud-event';
import { compileMapping } from '../../../../src/sources/mapping/compile-mapping';
import { recordsOf } from '../../../../src/sources/mapping/map-request';
import type { Mapping } from '../../../../src/sources/mapping/mapping';
import { ReceivedRequest } from '../../../../src/sources/request/received-request';

async function recordsIn(body: string, records: string): Promise<string[] | string> {
  const headers = { 'content-type': 'application/json' };
  const facts = { method: 'POST', path: '', url: '', query: {}, headers, body: Buffer.from(body), address: '' };
  const request = new ReceivedRequest({ ...facts, receivedAt: new Date() });
  const found = await recordsOf(request, new JsonDocument(body), compileMapping({ records }));
  return 'rejection' in found ? found.rejection.message : found.map(({ text }) => text);
}

describe('the records of a request', () => {
  it('are the items of the list', async () => {
    expect(await recordsIn('{"events":[{"n":1.0},{"n":2}]}', '/events')).toEqual(['{"n":1.0}', '{"n":2}']);
    expect(await recordsIn('[]', '')).toEqual([]);
  });

  it('are one where an object takes the place of the list', async () => {
    expect(await recordsIn('{"n":1.0}', '')).toEqual(['{"n":1.0}']);
    expect(await recordsIn('{"events":{"n":1}}', '/events')).toEqual(['{"n":1}']);
  });

  it.each([
    ['{"events":"none"}', 'mapping.records: it must find a list or an object'],
    ['{"events":7}', 'mapping.records: it must find a list or an object'],
    ['{"events":null}', 'mapping.records: /events finds nothing'],
    ['{}', 'mapping.records: /events finds nothing'],
  ])('of %s are not found', async (body, message) => {
    expect(await recordsIn(body, '/events')).toBe(message);
  });
});

describe('a record is read as a CloudEvent', () => {
  const decide = (format: 'cloudevents' | undefined, mapping: Mapping, record: string): boolean =>
    isCloudEvent(format && { format }, compileMapping(mapping), new JsonDocument(record));

  it.each([
    ['by a preset for CloudEvents, whatever it is', 'cloudevents', { records: '' }, '{"id":"1"}', true],
    [
      'by a preset for two schemas if it has a specversion',
      'cloudevents',
      { eventType: '/t' },
      '{"specversion":"1.0"}',
      true,
    ],
    ['by a preset for two schemas, not without one', 'cloudevents', { eventType: '/t' }, '{"t":"x"}', false],
    ['by no other preset', undefined, { eventType: '/t' }, '{"specversion":"1.0"}', false],
  ] as const)('%s', (_name, format, mapping, record, expected) => {
    expect(decide(format, mapping, record)).toBe(expected);
  });
});
