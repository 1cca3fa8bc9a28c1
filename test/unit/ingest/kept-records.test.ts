import { KEPT_FORMATS, type KeptHead } from '../../../src/ingest/formats/kept-records';
import { RULES } from '../../support/events';

const CONTEXT = { tenantId: 'acme', correlationId: 'c-1', traceparent: undefined, idempotencyKey: undefined };
const MAX = 4_096;

function readAgain(format: keyof typeof KEPT_FORMATS, text: string, request: KeptHead = { headers: {} }) {
  const bytes = Buffer.from(text);
  const { toJson, prepare } = KEPT_FORMATS[format];
  return prepare(toJson({ bytes, request }, MAX), request, CONTEXT, RULES, bytes.length);
}

const EVENT = '{"eventType":"sale.completed","subject":"order-1","payload":{"amount":10.10}}';
const CLOUD_EVENT =
  '{"specversion":"1.0","id":"1","source":"/shop","type":"sale.completed","subject":"order-1","data":{"amount":10.10}}';
const BINARY = {
  headers: {
    ...{ 'content-type': 'application/json', 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/shop' },
    ...{ 'ce-type': 'sale.completed', 'ce-subject': 'order-1' },
  },
};
const XML =
  '<event><eventType>sale.completed</eventType><subject>order-1</subject><payload>{"amount":10.10}</payload></event>';

describe('a kept record', () => {
  it.each([
    ['event', EVENT, undefined],
    ['cloudevent', CLOUD_EVENT, undefined],
    ['cloudevent-binary', '{"amount":10.10}', BINARY],
    ['xml', XML, undefined],
  ] as const)('of the format %s is read as it was sent', (format, text, request) => {
    expect(readAgain(format, text, request)).toMatchObject({
      prepared: {
        event: { type: 'sale.completed', subject: 'order-1', payloadJson: '{"amount":10.10}', sizeBytes: text.length },
      },
    });
  });

  it.each([
    ['event', '{"eventType":', 'malformed-body'],
    ['cloudevent', '{"id":"1"}', 'invalid-event'],
    ['cloudevent-binary', '{}', 'invalid-event'],
    ['xml', '<event><eventType>a</eventType></event>', 'invalid-event'],
    ['xml', `<event><subject>${'x'.repeat(MAX)}</subject></event>`, 'event-too-large'],
  ] as const)('of the format %s that is still wrong is rejected again: %.40s', (format, text, code) => {
    const request = { headers: {} };
    const bytes = Buffer.from(text);
    const { toJson, prepare } = KEPT_FORMATS[format];
    const rules = { ...RULES, MAX_EVENT_BYTES: MAX };
    expect(prepare(toJson({ bytes, request }, MAX), request, CONTEXT, rules, bytes.length)).toMatchObject({
      rejection: { code },
    });
  });

  it('of XML gets the namespaces of the root that it was in', () => {
    const xml = '<event><eventType>a</eventType><subject>b</subject><payload><p:x>1</p:x></payload></event>';
    const uri = 'urn:a&b<"c"\tand more';
    expect(readAgain('xml', xml, { headers: {}, namespaces: { 'xmlns:p': uri } })).toMatchObject({
      prepared: { event: { payloadJson: JSON.stringify({ '@xmlns:p': uri, 'p:x': '1' }) } },
    });
  });

  it('of XML that is cut off is malformed', () => {
    expect(() => readAgain('xml', '<event><eventType>a</ev')).toThrow(
      expect.objectContaining({ code: 'malformed-body' }) as Error,
    );
  });
});
