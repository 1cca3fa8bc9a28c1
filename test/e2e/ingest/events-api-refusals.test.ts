import { useApp } from '../../support/fixtures/app';
import { eventBody } from '../../support/events';
import { bodyOfRaw, expectProblem, rawExchange, type AcceptedAnswer, type ProblemAnswer } from '../../support/e2e-http';

const LIMIT = 4_096;

describe('/v1/events', () => {
  const running = useApp({
    MAX_EVENT_BYTES: String(LIMIT),
    REQUEST_STALL_TIMEOUT_MS: '200',
    TENANT_ALLOWLIST: 'acme,globex',
  });

  type Headers = Record<string, string | string[]>;
  const postRaw = (body: string | Buffer | undefined, headers: Headers = {}) =>
    running.http
      .post('/v1/events')
      .set({ 'Content-Type': 'application/json', 'X-Tenant-Id': 'acme', ...headers } as Record<string, string>)
      .serialize((bytes: unknown) => bytes as string) // superagent would turn a Buffer into JSON
      .send(body);
  const post = (body: object, headers: Headers = {}) => postRaw(JSON.stringify(body), headers);
  const countEvents = async (): Promise<number> => (await running.pool.query('select from events')).rowCount ?? 0;

  describe('the tenant', () => {
    it.each([
      ['malformed', '-acme', 400, 'tenant-invalid'],
      ['empty', '', 400, 'tenant-invalid'],
      ['too long', 'a'.repeat(129), 400, 'tenant-invalid'],
      ['sent twice', ['acme', 'globex'], 400, 'tenant-invalid'],
      ['sent twice with one value', ['acme', 'acme'], 400, 'tenant-invalid'],
      ['not on the allowlist', 'initech', 403, 'tenant-not-allowed'],
    ])('is rejected when %s', async (_what, tenant, status, code) => {
      expectProblem(await post(eventBody(), { 'X-Tenant-Id': tenant }), status, code);
      const read = running.http.get('/v1/events/x').set({ 'X-Tenant-Id': tenant } as Record<string, string>);
      expectProblem(await read, status, code);
    });

    it('is rejected when missing', async () => {
      const request = running.http.post('/v1/events').set('Content-Type', 'application/json');
      expectProblem(await request.send(eventBody()), 400, 'tenant-required');
      expectProblem(await running.http.get('/v1/events/x'), 400, 'tenant-required');
    });

    it('gets the same response for another tenant’s event as for a missing event', async () => {
      const answer = (await post(eventBody({ eventId: 'acme-only' }))).body as AcceptedAnswer;
      const shape = ({ correlationId, ...problem }: ProblemAnswer) => ({
        ...problem,
        correlated: correlationId !== '',
      });
      const absent = await running.http.get('/v1/events/never-sent').set('X-Tenant-Id', 'globex');
      for (const id of [answer.id, 'acme-only']) {
        const other = await running.http.get(`/v1/events/${id}`).set('X-Tenant-Id', 'globex');
        expect(shape(expectProblem(other, 404, 'event-not-found'))).toEqual(
          shape(expectProblem(absent, 404, 'event-not-found')),
        );
      }
    });
  });

  describe('the idempotency key', () => {
    it.each([
      ['different under its two names', { 'X-Idempotency-Key': 'one', 'Idempotency-Key': 'two' }],
      ['sent twice', { 'X-Idempotency-Key': ['one', 'two'] }],
      ['too long', { 'X-Idempotency-Key': 'k'.repeat(256) }],
      ['not a single word', { 'Idempotency-Key': 'two words' }],
      ['empty', { 'X-Idempotency-Key': '' }],
    ])('is rejected when %s', async (_what, headers) => {
      expectProblem(await post(eventBody(), headers), 400, 'idempotency-key-invalid');
    });

    it('is rejected with a changed amount', async () => {
      const key = { 'X-Idempotency-Key': 'changed-amount' };
      const sent = eventBody({ payload: { amount: 10.1 } });
      const first = await post(sent, key);
      expect(first.status).toBe(202);
      const problem = expectProblem(
        await post({ ...sent, payload: { amount: 10.2 } }, key),
        422,
        'idempotency-key-reused',
      );
      expect(problem.retryable).toBe(false);
      expect((await post(sent, key)).body).toMatchObject({ id: (first.body as AcceptedAnswer).id, duplicate: true });
    });

    it('is rejected with a change that a double cannot represent', async () => {
      const key = { 'X-Idempotency-Key': 'beyond-a-double' };
      const body = (big: string) => `{"eventType":"t","subject":"big","payload":{"big":${big}}}`;
      expect((await postRaw(body('12345678901234567890'), key)).status).toBe(202);
      expectProblem(await postRaw(body('12345678901234567891'), key), 422, 'idempotency-key-reused');
      expect((await postRaw(body('1234567890123456789e1'), key)).status).toBe(200);
    });
  });

  it('rejects an eventId that belongs to different content', async () => {
    const sent = eventBody({ eventId: 'one-content-only' });
    const first = (await post(sent)).body as AcceptedAnswer;
    expectProblem(await post({ ...sent, payload: { amount: 11 } }), 409, 'event-id-conflict');
    const read = await running.http.get('/v1/events/one-content-only').set('X-Tenant-Id', 'acme');
    expect(read.body).toMatchObject({ id: first.id, payload: { amount: 10 } });
  });

  describe('the body', () => {
    it.each<[string, string | Buffer, string]>([
      ['malformed JSON', '{"eventType":"t","subject":"s","payload":{]}', 'malformed-body'],
      ['an unfinished text', '{"eventType":"t","subject":"s","payload":"', 'malformed-body'],
      ['a number that JSON does not know', '{"eventType":"t","subject":"s","payload":NaN}', 'malformed-body'],
      ['invalid UTF-8', Buffer.from('{"eventType":"t","subject":"s","payload":"caf\xe9"}', 'latin1'), 'malformed-body'],
      ['a surrogate in UTF-8', Buffer.from('7b2278223a22eda08022227d', 'hex'), 'malformed-body'],
      ['a text', '"event"', 'invalid-event'],
      ['U+0000', '{"eventType":"t","subject":"s","payload":["\\u0000"]}', 'unsupported-character'],
      ['a lone surrogate', '{"eventType":"t","subject":"s","payload":{"\\ud800":1}}', 'unsupported-character'],
      ['a control character', '{"eventType":"t\\u0007","subject":"s","payload":1}', 'unsupported-character'],
    ])('is rejected for %s', async (_what, body, code) => {
      const before = await countEvents();
      expect(expectProblem(await postRaw(body), 400, code).retryable).toBe(false);
      expect(await countEvents()).toBe(before);
    });

    it('is rejected when empty', async () => {
      expectProblem(await postRaw(''), 400, 'malformed-body');
      expectProblem(await postRaw(undefined), 400, 'malformed-body');
    });

    it('is not repeated in the error', async () => {
      const response = await postRaw('{"eventType":"t","subject":"s","payload":"top-secret-4711');
      expectProblem(response, 400, 'malformed-body');
      expect(response.text).not.toContain('4711');
    });

    it.each<[string, Record<string, unknown>, string]>([
      ['an unknown field', { entityID: 'a typo' }, '/entityID'],
      ['an unknown field whose name needs escaping', { 'a/b~c': 1 }, '/a~1b~0c'],
      ['no type', { eventType: undefined }, '/eventType'],
      ['no subject', { subject: undefined }, '/subject'],
      ['no payload', { payload: undefined }, '/payload'],
      ['a type that is not a text', { eventType: 7 }, '/eventType'],
      ['a type that is too long', { eventType: 't'.repeat(256) }, '/eventType'],
      ['a subject that is empty', { subject: '' }, '/subject'],
      ['a day that does not exist', { occurredAt: '2026-02-30T00:00:00Z' }, '/occurredAt'],
      ['a leap second', { occurredAt: '2016-12-31T23:59:60Z' }, '/occurredAt'],
      ['a word that PostgreSQL would take for a time', { occurredAt: 'infinity' }, '/occurredAt'],
    ])('is rejected with a pointer to %s', async (_what, fields, pointer) => {
      const problem = expectProblem(await post(eventBody(fields)), 400, 'invalid-event');
      expect(problem.errors).toEqual([
        { pointer, code: 'invalid-event', message: expect.stringMatching(/\S/) as string },
      ]);
    });

    it('is rejected with all errors at once', async () => {
      const problem = expectProblem(
        await post({ typo: 1, subject: '', payload: 1, eventType: 'x' }),
        400,
        'invalid-event',
      );
      expect(problem.errors?.map(({ pointer }) => pointer).sort()).toEqual(['/subject', '/typo']);
    });

    it('is rejected for a payload of 65 levels, and of 2,000', async () => {
      for (const levels of [65, 2_000]) {
        const payload = '['.repeat(levels) + ']'.repeat(levels);
        const response = await postRaw(`{"eventType":"t","subject":"s","payload":${payload}}`);
        expectProblem(response, 400, 'invalid-event');
      }
    });

    it('is rejected when one byte too large, and accepted at the maximum size', async () => {
      const ofSize = (size: number) => {
        const empty = '{"eventType":"t","subject":"size","payload":""}';
        return empty.replace('""}', `"${'x'.repeat(size - empty.length)}"}`);
      };
      const rejected = async (): Promise<number> => {
        const { text } = await running.http.get('/metrics');
        return Number(/^streamforge_ingest_total{source="single",status="rejected"} (\d+)$/m.exec(text)?.[1]);
      };
      const before = await rejected();
      expect((await postRaw(ofSize(LIMIT))).status).toBe(202);
      expectProblem(await postRaw(ofSize(LIMIT + 1)), 413, 'event-too-large');
      expect(await rejected()).toBe(before + 1);
    });

    it.each(['text/plain', 'application/x-ndjson', 'application/x-www-form-urlencoded', 'nonsense'])(
      'is rejected as %s',
      async (type) => {
        expectProblem(
          await postRaw(JSON.stringify(eventBody()), { 'Content-Type': type }),
          415,
          'unsupported-media-type',
        );
      },
    );

    it('is rejected with the media types that are accepted, and with the endpoint for its own', async () => {
      const response = await postRaw('{}', { 'Content-Type': 'application/x-ndjson' });
      expect(expectProblem(response, 415, 'unsupported-media-type').detail).toContain('POST /v1/ingest/stream');
      expect(String(response.headers['accept-post']).split(', ')).toContain('application/json');
      const stream = await running.http
        .post('/v1/ingest/stream')
        .set({ 'X-Tenant-Id': 'acme', 'Content-Type': 'application/json' })
        .send('[]');
      expect(expectProblem(stream, 415, 'unsupported-media-type').detail).toContain('POST /v1/events');
      expect(String(stream.headers['accept-post']).split(', ')).toContain('application/x-ndjson');
    });

    it('is rejected with a sentence that helps when it has no usable Content-Type', async () => {
      const typed = await postRaw('{}', { 'Content-Type': 'application/x-www-form-urlencoded' });
      expect(expectProblem(typed, 415, 'unsupported-media-type').detail).toContain('curl -d');
      const untyped = await rawExchange(
        running.url,
        'POST /v1/events HTTP/1.1\r\nHost: localhost\r\nX-Tenant-Id: acme\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}',
      );
      expect(bodyOfRaw<ProblemAnswer>(untyped).detail).toMatch(
        /^The body has no Content-Type\. Send application\/json/,
      );
      expect(untyped).toMatch(/\r\nAccept-Post: application\/json/i);
    });

    it('is rejected with the name of the field that was probably meant', async () => {
      const { errors } = expectProblem(await post({ event_type: 'x', subject: 's', data: 1 }), 400, 'invalid-event');
      expect(errors?.map(({ message }) => message)).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/did you mean eventType\?$/),
          expect.stringMatching(/did you mean payload\?$/),
        ]),
      );
    });

    it('is rejected for a correlationId that the header could not carry', async () => {
      for (const correlationId of ['a b', 'é', '', 'x'.repeat(129)]) {
        const { errors } = expectProblem(await post(eventBody({ correlationId })), 400, 'invalid-event');
        expect(errors).toMatchObject([{ pointer: '/correlationId' }]);
      }
    });

    it('is rejected in an unknown encoding', async () => {
      const response = await postRaw(JSON.stringify(eventBody()), { 'Content-Encoding': 'rot13' });
      expectProblem(response, 415, 'unsupported-content-encoding');
    });

    it('gets 408 when it stalls', async () => {
      const head =
        'POST /v1/events HTTP/1.1\r\nHost: localhost\r\nX-Tenant-Id: acme\r\nContent-Type: application/json\r\n';
      const answer = await rawExchange(running.url, `${head}Content-Length: 100\r\n\r\n{"eventType":`);
      expect(answer).toMatch(/^HTTP\/1\.1 408 /);
      expect(bodyOfRaw<ProblemAnswer>(answer)).toMatchObject({ code: 'request-timeout', retryable: true });
    });
  });

  describe('the route', () => {
    it.each(['/v1', '/v1/event', '/v2/events', '/v1/events/a/b', '/%2e%2e/etc/passwd'])(
      'is 404 for %s',
      async (path) => {
        expectProblem(await running.http.get(path), 404, 'route-not-found');
      },
    );

    it.each([
      ['/v1/events/', '/v1/events'],
      ['/V1/Events', '/v1/events'],
      ['/v1/event', '/v1/events'],
      ['/Health', '/health'],
    ])('is 404 for %s and suggests %s', async (path, meant) => {
      const { detail } = expectProblem(await running.http.post(path), 404, 'route-not-found');
      expect(detail).toContain(`Did you mean ${meant}?`);
    });

    it('is 404 for a path that cannot be decoded', async () => {
      const response = await running.http.get('/v1/events/%ff').set('X-Tenant-Id', 'acme');
      expect(response.status).toBe(404);
      expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    });

    it.each([
      ['put', '/v1/events', 'POST'],
      ['get', '/v1/events', 'POST'],
      ['get', '/v1/ingest/stream', 'POST'],
      ['delete', '/v1/events/x', 'GET'],
      ['post', '/health', 'GET'],
    ] as const)('is 405 with Allow for %s %s', async (method, path, allowed) => {
      const response = await running.http[method](path).set('X-Tenant-Id', 'acme');
      expectProblem(response, 405, 'method-not-allowed');
      expect(String(response.headers.allow).split(', ')).toContain(allowed);
    });
  });
});
