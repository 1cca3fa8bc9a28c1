import type { Response } from 'supertest';
import { useApp } from '../../support/fixtures/app';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import type { AcceptedAnswer, EventAnswer } from '../../support/e2e-http';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

describe('POST and GET /v1/events', () => {
  const running = useApp();

  const post = (body: object | string, headers: Record<string, string> = {}) =>
    running.http
      .post('/v1/events')
      .set({ 'Content-Type': 'application/json', 'X-Tenant-Id': 'acme', ...headers })
      .send(body);
  const get = (id: string, tenant = 'acme') =>
    running.http.get(`/v1/events/${encodeURIComponent(id)}`).set('X-Tenant-Id', tenant);
  const accepted = (response: Response) => response.body as AcceptedAnswer;
  const event = (response: Response) => response.body as EventAnswer;

  describe('an accepted event', () => {
    it('gets 202 with every field of the contract and its Location', async () => {
      const sent = eventBody({ eventId: 'order-1-paid', subject: 'order-1', partitionKey: 'customer-7' });
      const response = await post(sent, { 'X-Correlation-Id': 'trace-me' });
      expect(response.status).toBe(202);
      expect(response.body).toEqual({
        status: 'accepted',
        duplicate: false,
        id: expect.stringMatching(UUID_V7) as string,
        eventId: 'order-1-paid',
        tenantId: 'acme',
        type: 'order.paid',
        subject: 'order-1',
        partitionKey: 'customer-7',
        hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        correlationId: 'trace-me',
        receivedAt: expect.stringMatching(INSTANT) as string,
      });
      expect(response.headers.location).toBe(`/v1/events/${accepted(response).id}`);
      expect(response.headers['content-type']).toMatch(/^application\/json/);
      expect(response.headers['idempotent-replayed']).toBeUndefined();
    });

    it('gets defaults: the id as eventId, the subject as partitionKey, and the receipt as occurredAt', async () => {
      const answer = accepted(await post(eventBody({ subject: 'order-2' })));
      expect(answer).toMatchObject({ eventId: answer.id, partitionKey: 'order-2' });
      expect(event(await get(answer.id))).toMatchObject({
        source: 'api',
        schemaVersion: '1.0.0',
        specVersion: '1.0',
        occurredAt: answer.receivedAt,
      });
    });

    it('may use the legacy names; the new names win', async () => {
      const old = await post({ type: 'old.type', entityId: 'old-subject', payload: 1 });
      expect(accepted(old)).toMatchObject({ type: 'old.type', subject: 'old-subject' });
      const both = await post({ eventType: 'new.type', type: 'old.type', subject: 's', entityId: 'e', payload: 1 });
      expect(accepted(both)).toMatchObject({ type: 'new.type', subject: 's' });
    });

    it('reaches COMPLETED with one SUCCESS attempt, and is read by id and by eventId', async () => {
      const sent = eventBody({ eventId: 'to be/completed?', occurredAt: '2026-03-01T12:00:00.5+02:00' });
      const answer = accepted(await post(sent, { 'X-Correlation-Id': 'trace-completed' }));
      const read = await eventually(async () => {
        const response = await get(answer.id);
        expect(event(response).status).toBe('COMPLETED');
        return response;
      });
      expect(read.body).toEqual({
        id: answer.id,
        tenantId: 'acme',
        eventId: 'to be/completed?',
        type: 'order.paid',
        subject: sent.subject,
        partitionKey: sent.subject,
        occurredAt: '2026-03-01T10:00:00.500Z',
        receivedAt: answer.receivedAt,
        payload: { amount: 10 },
        source: 'api',
        schemaVersion: '1.0.0',
        specVersion: '1.0',
        hash: answer.hash,
        correlationId: 'trace-completed',
        status: 'COMPLETED',
        attempts: [
          {
            attemptNumber: 1,
            dispatch: 1,
            status: 'SUCCESS',
            reasonCode: 'PROCESSED',
            exhausted: false,
            errorMessage: null,
            durationMs: expect.any(Number) as number,
            createdAt: expect.stringMatching(INSTANT) as string,
          },
        ],
        deliveries: [],
        nextAttemptAt: null,
        lastError: null,
        publishedAt: expect.stringMatching(INSTANT) as string,
        completedAt: expect.stringMatching(INSTANT) as string,
        verified: null,
        revisions: [],
      });
      expect((await get('to be/completed?')).text).toBe(read.text);
    });

    it.each([
      ['numbers that a double cannot hold', '{"price":10.10,"big":12345678901234567890,"huge":1e400,"e":1E+2,"n":-0}'],
      ['a number alone', '12345678901234567890.10'],
      ['null', 'null'],
      ['Unicode', '{"text":"Grüße 東京 👩‍👩‍👧 e\u0301 \u2028"}'],
      ['escapes as they were written', '{"text":"\\u00e9 \\/ \\ud83d\\ude00 \\n"}'],
      ['names that mean something to JavaScript', '{"__proto__":{"admin":true},"constructor":{"prototype":1}}'],
      ['the order of names', '{"z":1,"a":2,"10":3,"9":4}'],
      ['64 levels', `${'['.repeat(64)}${']'.repeat(64)}`],
    ])('keeps its payload exactly: %s', async (_what, payload) => {
      const response = await post(`{"eventType":"exact","subject":"s","payload":${payload}}`);
      expect(response.status).toBe(202);
      const read = await get(accepted(response).id);
      expect(read.text).toContain(`"payload":${payload},"status"`);
    });
  });

  describe('X-Correlation-Id', () => {
    it('is the caller’s value, in the response and in the event', async () => {
      const longest = `${'c'.repeat(127)}~`;
      const response = await post(eventBody(), { 'X-Correlation-Id': longest });
      expect(response.headers['x-correlation-id']).toBe(longest);
      expect(accepted(response).correlationId).toBe(longest);
    });

    it.each([
      ['missing', undefined],
      ['too long', 'c'.repeat(129)],
      ['not a single word', 'two words'],
      ['not ASCII', 'caf\u00e9'],
    ])('is generated when the sent value is %s', async (_why, sent) => {
      const response = await post(eventBody(), sent === undefined ? {} : { 'X-Correlation-Id': sent });
      expect(response.status).toBe(202);
      expect(response.headers['x-correlation-id']).toMatch(UUID_V7);
      expect(accepted(response).correlationId).toBe(response.headers['x-correlation-id']);
    });
  });

  describe('the same event sent again', () => {
    const original = ({ id, eventId, receivedAt, hash }: AcceptedAnswer) => ({ id, eventId, receivedAt, hash });

    it('gets 200 with the original, whatever the order of names', async () => {
      const first = await post('{"eventType":"t","subject":"again","payload":{"a":1,"b":2.50}}');
      const second = await post('{"payload":{"b":2.50,"a":1},"subject":"again","eventType":"t"}');
      expect([first.status, second.status]).toEqual([202, 200]);
      expect(accepted(second)).toEqual({ ...accepted(first), status: 'duplicate', duplicate: true });
      expect(second.headers['idempotent-replayed']).toBe('true');
      expect(second.headers.location).toBe(first.headers.location);
    });

    it('is a new event when it occurred at another time', async () => {
      const sale = eventBody({ occurredAt: '2026-01-01T10:00:00Z' });
      const next = { ...sale, occurredAt: '2026-01-01T10:00:01Z' };
      const sameInstant = { ...sale, occurredAt: '2026-01-01T11:00:00+01:00' };
      const statuses = [await post(sale), await post(next), await post(sameInstant)].map(({ status }) => status);
      expect(statuses).toEqual([202, 202, 200]);
    });

    it.each(['X-Idempotency-Key', 'Idempotency-Key'])('is recognised by %s', async (header) => {
      const sent = eventBody({ eventId: `by-${header}` });
      const first = await post(sent, { [header]: `key of ${header}`.replaceAll(' ', '-') });
      const second = await post(sent, { [header]: `key of ${header}`.replaceAll(' ', '-') });
      expect([first.status, second.status]).toEqual([202, 200]);
      expect(original(accepted(second))).toEqual(original(accepted(first)));
    });

    it('has one key under both header names', async () => {
      const sent = eventBody();
      expect((await post(sent, { 'X-Idempotency-Key': 'either-name' })).status).toBe(202);
      expect((await post(sent, { 'Idempotency-Key': 'either-name' })).status).toBe(200);
      const both = { 'X-Idempotency-Key': 'either-name', 'Idempotency-Key': 'either-name' };
      expect((await post(sent, both)).status).toBe(200);
    });

    it('is two events under two keys', async () => {
      const sent = eventBody();
      expect((await post(sent, { 'X-Idempotency-Key': 'key-one' })).status).toBe(202);
      expect((await post(sent, { 'X-Idempotency-Key': 'key-two' })).status).toBe(202);
    });

    it('is accepted exactly once when sent fifty times at once', async () => {
      const sent = eventBody();
      const responses = await Promise.all(Array.from({ length: 50 }, () => post(sent)));
      const statuses = responses.map(({ status }) => status).sort();
      expect(statuses).toEqual([...Array<number>(49).fill(200), 202]);
      expect(new Set(responses.map((response) => JSON.stringify(original(accepted(response))))).size).toBe(1);
      const { rows } = await running.pool.query('select from events where subject = $1', [sent.subject]);
      expect(rows).toHaveLength(1);
    });

    it('is accepted exactly once when sent fifty times at once with an explicit key', async () => {
      const sent = eventBody();
      const key = { 'X-Idempotency-Key': 'fifty-at-once' };
      const responses = await Promise.all(Array.from({ length: 50 }, () => post(sent, key)));
      expect(responses.filter(({ status }) => status === 202)).toHaveLength(1);
      expect(responses.filter(({ status }) => status === 200)).toHaveLength(49);
    });

    it('is a separate event in another tenant, with and without a key', async () => {
      const sent = eventBody({ eventId: 'same-in-two-tenants' });
      const key = { 'X-Idempotency-Key': 'same-in-two-tenants' };
      const first = await post(sent, key);
      const other = await post(sent, { ...key, 'X-Tenant-Id': 'globex' });
      expect([first.status, other.status]).toEqual([202, 202]);
      expect(accepted(other).id).not.toBe(accepted(first).id);
      expect(event(await get('same-in-two-tenants', 'globex')).id).toBe(accepted(other).id);
      const derived = eventBody();
      expect((await post(derived)).status).toBe(202);
      expect((await post(derived, { 'X-Tenant-Id': 'globex' })).status).toBe(202);
    });

    it('keeps tenant and key apart: tenant a with key bc is not tenant ab with key c', async () => {
      const sent = eventBody();
      expect((await post(sent, { 'X-Tenant-Id': 'a', 'X-Idempotency-Key': 'bc' })).status).toBe(202);
      expect((await post(sent, { 'X-Tenant-Id': 'ab', 'X-Idempotency-Key': 'c' })).status).toBe(202);
    });

    it('is accepted after a rejected first try, which leaves the key free', async () => {
      const key = { 'X-Idempotency-Key': 'first-try-refused' };
      const wrong = eventBody({ occurredAt: 'yesterday' });
      expect((await post(wrong, key)).status).toBe(400);
      expect((await post('{"eventType":', key)).status).toBe(400);
      const right = { ...wrong, occurredAt: '2026-02-28T00:00:00Z', eventId: 'right-now' };
      expect((await post(right, key)).status).toBe(202);
      expect((await post(right, key)).status).toBe(200);
    });

    it('is told apart by its eventId, even if the content is equal and no time was sent', async () => {
      const content = eventBody();
      const ids = ['told-apart-1', 'told-apart-2'];
      const bodies = [...ids.map((eventId) => ({ ...content, eventId })), content];
      const answers = [];
      for (const body of bodies) answers.push(await post(body));
      expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
      for (const [i, eventId] of ids.entries()) {
        const found = await get(eventId);
        expect([found.status, event(found).id]).toEqual([200, accepted(answers[i] as Response).id]);
      }
      for (const [i, body] of bodies.entries()) {
        const again = await post(body);
        expect([again.status, accepted(again).id]).toEqual([200, accepted(answers[i] as Response).id]);
      }
    });

    it('is accepted under a key whose first use ended in an eventId conflict', async () => {
      await post(eventBody({ eventId: 'taken' }));
      const key = { 'X-Idempotency-Key': 'conflict-left-me-free' };
      const second = eventBody({ eventId: 'taken' });
      expect((await post(second, key)).status).toBe(409);
      expect((await post({ ...second, eventId: 'not-taken' }, key)).status).toBe(202);
    });
  });
});
