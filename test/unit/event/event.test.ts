import { eventJson } from '../../../src/event/event';
import { prepared } from '../../support/events';

describe('eventJson', () => {
  const { event } = prepared({ subject: 'he said "hi"', eventId: 'e-1' }, { traceparent: '00-secret' });

  it.each(['null', '12345678901234567890', '{ "a" : 10.10 }', '"\\u00e9 \\"}"', '{"__proto__":1}', '[]'])(
    'inserts the payload %s exactly and returns valid JSON',
    (payloadJson) => {
      const text = eventJson({ ...event, payloadJson });
      expect(text).toContain(`"payload":${payloadJson}`);
      expect((JSON.parse(text) as { payload: unknown }).payload).toEqual(JSON.parse(payloadJson));
    },
  );

  it('returns the fields of the contract and no others', () => {
    const { payloadJson, traceparent: _traceparent, sizeBytes: _sizeBytes, ...fields } = event;
    expect(JSON.parse(eventJson(event))).toEqual({ ...fields, payload: JSON.parse(payloadJson) as unknown });
  });

  it('appends further fields after the payload', () => {
    const further = { status: 'RECEIVED', attempts: [{ attemptNumber: 1 }] };
    expect(JSON.parse(eventJson(event, further))).toMatchObject({
      eventId: 'e-1',
      payload: { amount: 10 },
      ...further,
    });
  });

  it('returns valid JSON when a further field is undefined', () => {
    expect(JSON.parse(eventJson(event, { lastError: undefined }))).not.toHaveProperty('lastError');
  });
});
