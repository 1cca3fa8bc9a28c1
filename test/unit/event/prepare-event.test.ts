import { MAX_DEPTH, prepareEvent, type PreparedEvent, type RecordRejection } from '../../../src/event/prepare-event';
import { isUuid, uuidV7Floor } from '../../../src/event/uuid-v7';

const CONTEXT = { tenantId: 'acme', correlationId: 'c-1', traceparent: undefined, idempotencyKey: undefined };
const RULES = {
  MAX_EVENT_BYTES: 2_000_000,
  DEDUPE_STRATEGY: 'intent',
  DEDUPE_INCLUDE_OCCURRED_AT: true,
  DEDUPE_INCLUDE_EVENT_ID: true,
} as const;

function prepare(body: Buffer | string, context = {}, rules = {}): ReturnType<typeof prepareEvent> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return prepareEvent(bytes, { ...CONTEXT, ...context }, { ...RULES, ...rules });
}
function accepted(...args: Parameters<typeof prepare>): PreparedEvent {
  const made = prepare(...args);
  if ('rejection' in made) throw new Error(made.rejection.message);
  return made.prepared;
}
function rejection(...args: Parameters<typeof prepare>): RecordRejection {
  const made = prepare(...args);
  if ('prepared' in made) throw new Error('it was accepted');
  return made.rejection;
}
const withPayload = (payload: string): string => `{"eventType":"order.paid","subject":"order-1","payload":${payload}}`;
const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

describe('a prepared event', () => {
  it('was received at the time of its id, also after the clock went back a little', () => {
    const nowMs = Date.now();
    accepted(withPayload('1'));
    jest.spyOn(Date, 'now').mockImplementation(() => nowMs - 800);
    const { id, receivedAt } = accepted(withPayload('2')).event;
    jest.restoreAllMocks();
    expect(id.startsWith(uuidV7Floor(Date.parse(receivedAt)).slice(0, 13))).toBe(true);
  });

  it('has a new id, the time of receipt and the defaults of the envelope', () => {
    const { event } = accepted(withPayload('{"a":1}'), { traceparent: '00-trace' });
    expect(isUuid(event.id)).toBe(true);
    expect(new Date(event.receivedAt).toISOString()).toBe(event.receivedAt);
    expect(event).toEqual({
      id: event.id,
      tenantId: 'acme',
      eventId: event.id,
      type: 'order.paid',
      subject: 'order-1',
      partitionKey: 'order-1',
      occurredAt: event.receivedAt,
      receivedAt: event.receivedAt,
      payloadJson: '{"a":1}',
      extensionsJson: undefined,
      source: 'api',
      schemaVersion: '1.0.0',
      specVersion: '1.0',
      hash: event.hash,
      correlationId: 'c-1',
      traceparent: '00-trace',
      sizeBytes: withPayload('{"a":1}').length,
    });
  });

  it('keeps the fields that the producer sent', () => {
    const sent = { eventId: 'e1', occurredAt: '2026-01-31T13:00:00+01:00', correlationId: 'own', partitionKey: 'p' };
    const { event } = accepted(JSON.stringify({ type: 't', entityId: 's', payload: 1, ...sent }));
    expect(event).toMatchObject({ ...sent, type: 't', subject: 's', occurredAt: '2026-01-31T12:00:00.000Z' });
  });

  it.each([
    '{"n":12345678901234567890,"amount":10.10,"tiny":1e-400,"huge":1E+400}',
    '{ "b" : [ 1 ,\t2 ] ,\r\n "a" : null }',
    '{"a":1,"__proto__":{"x":1},"constructor":[],"10":0,"2":0}',
    '"caf\\u00e9 \\/ \u2028 😀 \\ud83d\\ude00"',
    '-0.0',
    'null',
    nested(MAX_DEPTH),
  ])('keeps the text of the payload exactly: %s', (payload) => {
    expect(accepted(withPayload(` ${payload}\n`)).event.payloadJson).toBe(payload);
  });

  it('finds the payload at any position and with any spelling of its name', () => {
    const text = '\ufeff \n{"eventType":"t","p\\u0061yload":{"payload":2},"subject":"\\"payload\\":3"}\n';
    expect(accepted(text).event.payloadJson).toBe('{"payload":2}');
  });

  it('claims the key of the caller, else the id of the producer, else its content', () => {
    const body = withPayload('1');
    const withId = '{"eventType":"order.paid","subject":"order-1","payload":1,"eventId":"e"}';
    const byId = accepted(withId);
    expect(accepted(body)).toMatchObject({ keyKind: 'content', eventIdDigest: undefined });
    expect(byId).toMatchObject({ keyKind: 'own-id', eventIdDigest: undefined });
    expect(accepted(withId, { idempotencyKey: 'k' })).toMatchObject({
      keyKind: 'explicit',
      keyDigest: accepted(body, { idempotencyKey: 'k' }).keyDigest,
      eventIdDigest: byId.keyDigest,
    });
    const rules = { DEDUPE_INCLUDE_EVENT_ID: false };
    expect(accepted(withId, {}, rules)).toMatchObject({
      keyKind: 'intent',
      keyDigest: accepted(body, {}, rules).keyDigest,
      eventIdDigest: byId.keyDigest,
    });
  });
});

describe('prepareEvent', () => {
  it.each(['', ' ', '{', '{"a":1}{', 'nul', "{'a':1}", '{"a":01}', '{"a":NaN}', '{"a":"\n"}'])(
    'rejects %j as a malformed body',
    (text) => {
      expect(rejection(text).code).toBe('malformed-body');
    },
  );

  it('omits the content from the message of a rejection, which may be logged', () => {
    expect(rejection('{"card":"4111111111111111",}').message).not.toContain('4111');
  });

  it('rejects a body that is not UTF-8', () => {
    const body = Buffer.from(withPayload('"é"'), 'latin1');
    expect(rejection(body)).toMatchObject({ code: 'malformed-body' });
  });

  it.each(['[]', 'null', '1', '"text"', 'true', nested(200_000)])(
    'rejects a value that is not an object: %.20s',
    (text) => {
      expect(rejection(text)).toMatchObject({
        code: 'invalid-event',
        errors: [{ pointer: '', code: 'invalid-event' }],
      });
    },
  );

  it('rejects an event one byte over the limit, white space included', () => {
    const body = withPayload('1') + ' '.repeat(2_000);
    expect(accepted(body, {}, { MAX_EVENT_BYTES: body.length }).event.sizeBytes).toBe(body.length);
    expect(rejection(body, {}, { MAX_EVENT_BYTES: body.length - 1 }).code).toBe('event-too-large');
  });

  it('compares the size in bytes, not in characters', () => {
    const body = withPayload(`"${'€'.repeat(400)}"`);
    expect(rejection(body, {}, { MAX_EVENT_BYTES: 1_000 }).code).toBe('event-too-large');
  });

  it('rejects a payload of more than 64 levels, counted without recursion', () => {
    accepted(withPayload(nested(64)));
    for (const levels of [65, 200_000]) {
      expect(rejection(withPayload(nested(levels)))).toMatchObject({
        code: 'invalid-event',
        errors: [{ pointer: '/payload' }],
      });
    }
    expect(rejection(withPayload('[{"a":'.repeat(33) + '0' + '}]'.repeat(33))).code).toBe('invalid-event');
  });

  it('rejects 200,000 unclosed levels as malformed instead of crashing', () => {
    expect(rejection(withPayload('['.repeat(200_000))).code).toBe('malformed-body');
  });

  it('rejects a field that occurs twice, since parsers disagree on which one counts', () => {
    expect(rejection(withPayload('1,"payload":2')).errors).toMatchObject([{ pointer: '/payload' }]);
    expect(rejection(withPayload('1,"\\u0073ubject":"s"')).errors).toMatchObject([{ pointer: '/subject' }]);
    expect(rejection(withPayload('1,"a/b":1,"a/b":2')).errors).toMatchObject([{ pointer: '/a~1b' }]);
  });

  it('reports every invalid field of the envelope', () => {
    expect(rejection('{"eventType":"","subject":1,"payload":1,"extra":1}').errors.map((e) => e.pointer)).toEqual(
      expect.arrayContaining(['/eventType', '/subject', '/extra']),
    );
  });

  it.each([
    ['{"a":["x\\u0000"]}', '/payload/a/0'],
    ['"\\ud800"', '/payload'],
    ['{"a/b":{"c~":"\\uDFFFx"}}', '/payload/a~1b/c~0'],
    ['{"a":{"\\u0000":1}}', '/payload/a'],
  ])('points to a character that cannot be stored: %s', (payload, pointer) => {
    expect(rejection(withPayload(payload))).toMatchObject({
      code: 'unsupported-character',
      errors: [{ pointer, code: 'unsupported-character' }],
    });
  });

  it('points to such a character in a field of the envelope', () => {
    expect(rejection('{"eventType":"a\\u0000","subject":"s","payload":1}')).toMatchObject({
      code: 'unsupported-character',
      errors: [{ pointer: '/eventType' }],
    });
  });

  it('accepts escapes that only resemble unsupported characters', () => {
    accepted(withPayload('{"a":"\\\\u0000 \\ud83d\\ude00 \\u0064\\n"}'));
  });

  it('accepts a number of 100,000 digits within seconds', () => {
    const startedMs = performance.now();
    accepted(withPayload(`[1${'0'.repeat(100_000)}1]`));
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  it('tells payloads apart whose names are written with an escape, which JSON.parse may mix up', () => {
    const fingerprintOf = (payload: string): string => accepted(withPayload(payload)).fingerprint;
    const expected = fingerprintOf('{"first":1,"a":2}');
    fingerprintOf('{"first":1,"\\\\":2}');
    expect(fingerprintOf('{"first":1,"\\u0061":2}')).toBe(expected);
    expect(fingerprintOf('{"first":1,"\\"":2}')).not.toBe(expected);
    fingerprintOf('{"first":1,"\\\\":12345678901234567890}');
    const long = fingerprintOf('{"first":1,"a":12345678901234567890}');
    expect(fingerprintOf('{"first":1,"\\u0061":12345678901234567890}')).toBe(long);
  });
});
