import { HTTP, type CloudEvent } from 'cloudevents';
import { eventJson, type Event } from '../../../../src/event/event';
import { prepareBinary, prepareStructured } from '../../../../src/event/cloud-event/prepare-cloud-event';
import { prepareEvent, type ContentRules, type PrepareResult } from '../../../../src/event/prepare-event';
import { bodyOf, render } from '../../../support/receivers/rendered';

const CONTEXT = { tenantId: 'demo', correlationId: 'c-1', traceparent: undefined, idempotencyKey: undefined };
const RULES: ContentRules = {
  MAX_EVENT_BYTES: 262_144,
  DEDUPE_STRATEGY: 'intent',
  DEDUPE_INCLUDE_OCCURRED_AT: true,
  DEDUPE_INCLUDE_EVENT_ID: true,
};

function eventOf(made: PrepareResult): Event {
  if ('rejection' in made) throw new Error(made.rejection.message);
  return made.prepared.event;
}
const ofEnvelope = (envelope: object | string): Event => {
  const text = typeof envelope === 'string' ? envelope : JSON.stringify(envelope);
  return eventOf(prepareEvent(Buffer.from(text), CONTEXT, RULES));
};
const ofStructured = (text: string): Event => eventOf(prepareStructured(Buffer.from(text), CONTEXT, RULES));

const ENVELOPE =
  '{"eventType":"order.paid","eventId":"e-1","subject":"Bestellung 7 €","source":"shop till","partitionKey":"k",' +
  '"occurredAt":"2026-11-24T04:08:57Z","payload":{"amount":10.10,"id":12345678901234567890}}';
const CLOUD_EVENT = {
  specversion: '1.0',
  id: 'ce-1',
  source: '/till/3',
  type: 'order.paid',
  subject: 'order-7',
  time: '2026-11-24T04:08:57.000Z',
  dataschema: 'https://example.com/order.json',
  datacontenttype: 'application/json',
  partitionkey: 'p 1',
  comexample: 'ü "quoted" 100%',
  sequence: 12,
  flag: true,
  data: { amount: 10 },
};

describe('the format event', () => {
  it('is the normalised event, byte for byte', async () => {
    const json = eventJson(ofEnvelope(ENVELOPE));
    expect(await bodyOf(json, {})).toEqual({ body: json, type: 'application/json' });
  });
});

describe('the format payload', () => {
  it('is the payload as it was sent', async () => {
    const json = eventJson(ofEnvelope(ENVELOPE));
    const body = '{"amount":10.10,"id":12345678901234567890}';
    expect(await bodyOf(json, { format: 'payload' })).toEqual({ body, type: 'application/json' });
  });

  it('is the data of a CloudEvent in its own media type', async () => {
    const headers = { 'ce-id': '1', 'ce-source': 's', 'ce-type': 't', 'ce-specversion': '1.0' };
    const xml = eventOf(prepareBinary({ ...headers, 'content-type': 'text/xml' }, Buffer.from('<a/>'), CONTEXT, RULES));
    expect(await bodyOf(eventJson(xml), { format: 'payload' })).toEqual({ body: '<a/>', type: 'text/xml' });
  });
});

describe('the format cloudevents', () => {
  it('has the fields of the envelope as attributes, and the payload as it was sent', async () => {
    const { body, type } = await bodyOf(eventJson(ofEnvelope(ENVELOPE)), { format: 'cloudevents' });
    expect(type).toBe('application/cloudevents+json');
    expect(body).toContain('"data":{"amount":10.10,"id":12345678901234567890}');
    expect(JSON.parse(body)).toMatchObject({
      specversion: '1.0',
      id: 'e-1',
      source: 'shop%20till',
      type: 'order.paid',
      subject: 'Bestellung 7 €',
      time: '2026-11-24T04:08:57.000Z',
      partitionkey: 'k',
      datacontenttype: 'application/json',
    });
  });

  it('gives a CloudEvent back with its extensions', async () => {
    const json = eventJson(ofStructured(JSON.stringify(CLOUD_EVENT)));
    expect(JSON.parse((await bodyOf(json, { format: 'cloudevents' })).body)).toEqual(CLOUD_EVENT);
  });

  it('carries what a transform made as data, without the schema of the data before', async () => {
    const json = eventJson(ofStructured(JSON.stringify(CLOUD_EVENT)));
    const { body } = await bodyOf(json, { format: 'cloudevents', transform: 'payload.amount' });
    const { dataschema: _schema, ...rest } = CLOUD_EVENT;
    expect(JSON.parse(body)).toEqual({ ...rest, data: 10 });
  });
});

describe('the format cloudevents-binary', () => {
  it('percent-encodes attributes in headers, as the HTTP binding says', async () => {
    const json = eventJson(ofStructured(JSON.stringify(CLOUD_EVENT)));
    expect(await render(json, { format: 'cloudevents-binary' })).toEqual({
      kind: 'rendered',
      body: Buffer.from('{"amount":10}'),
      headers: {
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-id': 'ce-1',
        'ce-source': '/till/3',
        'ce-type': 'order.paid',
        'ce-subject': 'order-7',
        'ce-time': '2026-11-24T04:08:57.000Z',
        'ce-dataschema': 'https://example.com/order.json',
        'ce-partitionkey': 'p%201',
        'ce-comexample': '%C3%BC%20%22quoted%22%20100%25',
        'ce-sequence': '12',
        'ce-flag': 'true',
      },
    });
  });

  it('leaves out an extension whose name cannot be a header', async () => {
    const json = eventJson(ofStructured(JSON.stringify({ ...CLOUD_EVENT, 'ü x': '1' })));
    const made = await render(json, { format: 'cloudevents-binary' });
    expect(made.kind === 'rendered' && Object.keys(made.headers).filter((name) => !/^[\w-]+$/.test(name))).toEqual([]);
  });

  it('keeps the attributes of the envelope where an extension has their name in another case', async () => {
    const others = {
      ID: 'x',
      Type: 'x',
      Specversion: 'x',
      PartitionKey: 'x',
      DataContentType: 'text/x',
      ComExample: 'x',
    };
    const json = eventJson(ofStructured(JSON.stringify({ ...others, ...CLOUD_EVENT })));
    const made = await render(json, { format: 'cloudevents-binary' });
    if (made.kind !== 'rendered') throw new Error(made.message);
    expect(made.headers).toMatchObject({
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': 'ce-1',
      'ce-type': 'order.paid',
      'ce-partitionkey': 'p%201',
    });
    expect(made.headers).not.toHaveProperty('ce-datacontenttype');
  });

  it('has no schema of the data before a transform, in whatever case', async () => {
    const json = eventJson(ofStructured(JSON.stringify({ ...CLOUD_EVENT, dataschema: undefined, DataSchema: 'x:y' })));
    const made = await render(json, { format: 'cloudevents-binary', transform: 'payload.amount' });
    expect(made.kind === 'rendered' && made.headers).not.toHaveProperty('ce-dataschema');
  });

  it('is read by the SDK of CloudEvents', async () => {
    const made = await render(eventJson(ofEnvelope(ENVELOPE)), { format: 'cloudevents-binary' });
    if (made.kind !== 'rendered') throw new Error(made.message);
    const read = HTTP.toEvent({ headers: made.headers, body: made.body.toString() }) as CloudEvent<unknown>;
    expect(read.validate()).toBe(true);
    expect(read).toMatchObject({ id: 'e-1', type: 'order.paid', partitionkey: 'k' });
  });
});

describe.each(['payload', 'cloudevents-binary'] as const)('the media type of data in %s', (format) => {
  it.each([
    ['text/plain; charset="utf-8"', 'text/plain; charset="utf-8"'],
    [' text/x;  a=100% ', 'text/x;  a=100%'],
    ['text/plain; name=ü\r\nx', 'text/plain; name=%C3%BC%0D%0Ax'],
  ])('%j is sent as %j', async (datacontenttype, type) => {
    const json = eventJson(ofStructured(JSON.stringify({ ...CLOUD_EVENT, datacontenttype, data: 'x' })));
    expect(await bodyOf(json, { format })).toEqual({ body: 'x', type });
  });
});

describe('a CloudEvent with very many or very long extensions', () => {
  const withExtensions = (extensions: object): string =>
    JSON.stringify({ type: 'order.paid', eventId: 'e-1', source: 's', payload: 'x', extensions });
  const MANY = Object.fromEntries(Array.from({ length: 25_000 }, (_, i) => [`e${i}`, i]));

  it.each(['cloudevents', 'cloudevents-binary'] as const)(
    'is rendered as %s within 500 ms of CPU time',
    async (format) => {
      const json = withExtensions(MANY);
      await render(json, { format });
      const before = process.cpuUsage();
      await render(json, { format });
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1_000).toBeLessThan(500); // 60 ms; with one scan for each extension, many seconds
    },
  );

  it('has all of them in structured mode', async () => {
    const { body } = await bodyOf(withExtensions(MANY), { format: 'cloudevents' });
    expect(JSON.parse(body)).toMatchObject(MANY);
  });

  it.each([
    ['cloudevents-binary', MANY],
    ['cloudevents-binary', { one: 'x'.repeat(16_384) }],
    ['payload', { datacontenttype: `text/${'x'.repeat(16_384)}` }],
  ] as const)('fails in %s, where they make more headers than a server takes', async (format, extensions) => {
    expect(await render(withExtensions(extensions), { format })).toEqual({
      kind: 'failed',
      reason: 'TRANSFORM_FAILED',
      message: expect.stringMatching(/^the format makes \d{5,} bytes of headers; the maximum is 16384$/) as string,
    });
  });

  it('is rendered in binary mode with 16,000 bytes of headers', async () => {
    const made = await render(withExtensions({ one: 'x'.repeat(16_000) }), { format: 'cloudevents-binary' });
    expect(made.kind).toBe('rendered');
  });
});

/** Binary mode has no types: `true` comes back as a text. */
const TEXTS = { ...CLOUD_EVENT, sequence: '12', flag: 'true' };

describe.each([
  ['JSON', JSON.stringify(TEXTS)],
  ['text', JSON.stringify({ ...TEXTS, datacontenttype: 'text/plain', data: 'ä "x"\n' })],
  ['bytes', JSON.stringify({ ...TEXTS, datacontenttype: 'image/png', data: undefined, data_base64: '/+7dAAE=' })],
  ['a number that a double cannot hold', JSON.stringify(TEXTS).replace('10}', '12345678901234567890.10}')],
  ['no data', JSON.stringify({ ...TEXTS, datacontenttype: undefined, data: undefined })],
])('a CloudEvent with %s', (_what, text) => {
  it.each(['cloudevents', 'cloudevents-binary'] as const)('comes back as the same event in %s', async (format) => {
    const sent = ofStructured(text);
    const made = await render(eventJson(sent), { format });
    if (made.kind !== 'rendered') throw new Error(made.message);
    const { body, headers } = made;
    const again =
      format === 'cloudevents' ? ofStructured(body.toString()) : eventOf(prepareBinary(headers, body, CONTEXT, RULES));
    expect(again.hash).toBe(sent.hash);
    const { eventId, subject, source, type, occurredAt, partitionKey } = sent;
    expect(again).toMatchObject({ eventId, subject, source, type, occurredAt, partitionKey });
  });
});
