import { Readable } from 'node:stream';
import { useApp } from '../../support/fixtures/app';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { expectProblem, getEvent, postStream, type ProblemAnswer } from '../../support/e2e-http';

const line = (n: number | string, more = '') =>
  `{"eventType":"stream.test","subject":"s","payload":{"n":"${n}"}${more}}`;
const lines = (count: number, run: string) => Array.from({ length: count }, (_, i) => line(`${run}-${i}`));

describe('POST /v1/ingest/stream', () => {
  const running = useApp({ MAX_EVENT_BYTES: '2048', TENANT_ALLOWLIST: '' });

  const send = (body: string | Buffer | Readable, headers: Record<string, string> = {}, tenant = 'acme') =>
    postStream(running.url, tenant, body, headers);
  const storedFor = async (tenant: string): Promise<number> =>
    (await running.pool.query('select from events where tenant_id = $1', [tenant])).rowCount ?? 0;

  describe('the response', () => {
    it('is 202 when every record is accepted, with counts and the correlation id', async () => {
      const body = `${lines(3, 'all-good').join('\n')}\n`;
      const answer = await send(body, { 'x-correlation-id': 'stream-1' });
      expect(answer.status).toBe(202);
      expect(answer.headers['content-type']).toMatch(/^application\/json/);
      expect(answer.headers['x-correlation-id']).toBe('stream-1');
      expect(answer.body).toEqual({
        status: 'accepted',
        summary: { records: 3, accepted: 3, duplicates: 0, rejected: 0, bytes: Buffer.byteLength(body) },
        errors: [],
        errorsTruncated: false,
        correlationId: 'stream-1',
      });
    });

    it('is 207 when some are rejected; each error names its record and place', async () => {
      const body = [
        line('mixed-1'),
        line('mixed-2', ',"occurredAt":"2026-02-30T00:00:00Z"'),
        '{"eventType":',
        line('mixed-1'),
        line('mixed-5', ',"typo":1'),
        '[1]',
        line('mixed-7'),
      ].join('\n');
      const answer = await send(body);
      expect(answer.status).toBe(207);
      expect(answer.body).toMatchObject({
        status: 'partial',
        summary: { records: 7, accepted: 2, duplicates: 1, rejected: 4 },
        errorsTruncated: false,
      });
      expect(answer.body.errors.map(({ record, code, pointer }) => [record, code, pointer])).toEqual([
        [2, 'invalid-event', '/occurredAt'],
        [3, 'malformed-body', undefined],
        [5, 'invalid-event', '/typo'],
        [6, 'invalid-event', ''],
      ]);
      for (const { message } of answer.body.errors) expect(message).toMatch(/\S/);
    });

    it('is 422 in the same shape when all are rejected, and lists the first hundred errors', async () => {
      const answer = await send('{}\n'.repeat(150));
      expect(answer.status).toBe(422);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(answer.body).toMatchObject({
        type: 'urn:streamforge:problem:stream-rejected',
        status: 'rejected',
        code: 'stream-rejected',
        retryable: false,
        summary: { records: 150, accepted: 0, duplicates: 0, rejected: 150 },
        errorsTruncated: true,
      });
      expect(answer.body.errors.map(({ record }) => record)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
      expect(answer.body.correlationId).toBe(answer.headers['x-correlation-id']);
    });

    it('lists exactly a hundred errors and does not mark them as truncated', async () => {
      const { errors, errorsTruncated } = (await send('{}\n'.repeat(100))).body;
      expect([errors.length, errorsTruncated]).toEqual([100, false]);
    });

    it.each(['', '\n', ' \n\t\n\r\n', '\ufeff'])('is 202 with no records for an empty stream (%j)', async (body) => {
      const answer = await send(body);
      expect(answer.status).toBe(202);
      expect(answer.body).toMatchObject({
        status: 'accepted',
        summary: { records: 0, accepted: 0, duplicates: 0, rejected: 0, bytes: Buffer.byteLength(body) },
        errors: [],
      });
    });
  });

  describe('the lines', () => {
    it('may be blank, end in CRLF, begin with a BOM and lack the last newline', async () => {
      const [a, b, c] = lines(3, 'line-ends');
      const answer = await send(`\ufeff${a}\r\n\r\n   \n${b}\n\n\t${c}`);
      expect(answer.status).toBe(202);
      expect(answer.body.summary).toMatchObject({ records: 3, accepted: 3 });
    });

    it('are not counted when blank, so that record numbers match the events', async () => {
      const answer = await send(`\n\n${line('numbered-1')}\r\n\r\n{}\n\n${line('numbered-3')}\n`);
      expect(answer.body.errors).toMatchObject([{ record: 2 }]);
    });

    it('may be split anywhere, even within a character or CRLF', async () => {
      const text = '{"eventType":"cut","subject":"s","eventId":"cut-anywhere","payload":"東京 👩‍👩‍👧"}\r\n';
      const bytes = Buffer.from(text);
      const oneByOne = Readable.from(Array.from(bytes, (byte) => Buffer.from([byte])));
      expect((await send(oneByOne)).body.summary).toMatchObject({ records: 1, accepted: 1, bytes: bytes.length });
      expect((await getEvent(running.url, 'acme', 'cut-anywhere')).text).toContain('"payload":"東京 👩‍👩‍👧"');
    });

    it.each([
      ['too large', line('x'.repeat(3_000)), 'event-too-large'],
      ['far too large', line('x'.repeat(1_000_000)), 'event-too-large'],
      ['not UTF-8', Buffer.from(line('caf\xe9'), 'latin1'), 'malformed-body'],
      ['with U+0000', line('\\u0000'), 'unsupported-character'],
      ['too deep', line('deep', `,"schemaVersion":${'['.repeat(200)}${']'.repeat(200)}`), 'invalid-event'],
    ])('are rejected alone: %s', async (what, bad, code) => {
      const body = Buffer.concat(
        [line(`before ${what}\n`.trim()), '\n', bad, '\n', line(`after ${what}`)].map(toBuffer),
      );
      const answer = await send(body);
      expect(answer.status).toBe(207);
      expect(answer.body.summary).toMatchObject({ records: 3, accepted: 2, rejected: 1, bytes: body.length });
      expect(answer.body.errors).toMatchObject([{ record: 2, code }]);
    });

    it('are accepted at exactly the maximum size, also with CRLF', async () => {
      const largest = line('y'.repeat(2_048 - Buffer.byteLength(line(''))));
      const answer = await send(`${largest}\r\n${largest.replace('"y', '"yy')}\r\n`);
      expect(answer.body.summary).toMatchObject({ accepted: 1, rejected: 1 });
    });

    it('are rejected alone for a correlation id that the header could not carry', async () => {
      const body = [line('good-id', ',"correlationId":"good"'), line('bad-id', ',"correlationId":"a b"')].join('\n');
      const answer = await send(body);
      expect(answer.status).toBe(207);
      expect(answer.body.errors).toMatchObject([{ record: 2, code: 'invalid-event', pointer: '/correlationId' }]);
      const xml = '<e><event eventType="x" subject="s" correlationId="a&#32;b"><payload>1</payload></event></e>';
      expect((await send(xml, { 'content-type': 'application/xml' })).body.errors).toMatchObject([
        { record: 1, code: 'invalid-event', pointer: '/correlationId' },
      ]);
    });

    it('may carry a correlation id of their own', async () => {
      const own = line('own-trace', ',"eventId":"own-trace","correlationId":"of-the-record"');
      const other = line('request-trace', ',"eventId":"request-trace"');
      await send(`${own}\n${other}`, { 'x-correlation-id': 'of-the-request' });
      const read = async (id: string) => (await getEvent(running.url, 'acme', id)).body.correlationId;
      expect([await read('own-trace'), await read('request-trace')]).toEqual(['of-the-record', 'of-the-request']);
    });
  });

  describe('a stream sent again', () => {
    it('contains only duplicates and stores nothing', async () => {
      const body = toNdjson(syntheticEvents(700, 'resent'));
      expect((await send(body, {}, 'resender')).body.summary).toMatchObject({ records: 700, accepted: 700 });
      const again = await send(body, {}, 'resender');
      expect(again.status).toBe(202);
      expect(again.body).toMatchObject({ status: 'accepted', summary: { accepted: 0, duplicates: 700, rejected: 0 } });
      expect(await storedFor('resender')).toBe(700);
    });

    it('has each record accepted once when two uploads run at the same time', async () => {
      const body = toNdjson(syntheticEvents(500, 'at-once'));
      const both = await Promise.all([send(body, {}, 'at-once'), send(body, {}, 'at-once')]);
      const sum = (pick: 'accepted' | 'duplicates') => both.reduce((total, { body: b }) => total + b.summary[pick], 0);
      expect([sum('accepted'), sum('duplicates')]).toEqual([500, 500]);
      expect(await storedFor('at-once')).toBe(500);
    });

    it('stores every good record exactly once after a bad record was corrected', async () => {
      const good = lines(21, 'poisoned');
      const poisoned = good.with(10, '{"poison":');
      expect((await send(poisoned.join('\n'), {}, 'mended')).body.summary).toMatchObject({ accepted: 20, rejected: 1 });
      expect((await send(good.join('\n'), {}, 'mended')).body.summary).toMatchObject({ accepted: 1, duplicates: 20 });
      expect(await storedFor('mended')).toBe(21);
    });

    it('contains only duplicates under one X-Idempotency-Key, and a changed record is rejected', async () => {
      const key = { 'x-idempotency-key': 'upload-1' };
      const body = lines(5, 'keyed');
      expect((await send(body.join('\n'), key, 'keyed')).body.summary).toMatchObject({ accepted: 5 });
      expect((await send(body.join('\n'), key, 'keyed')).body.summary).toMatchObject({ duplicates: 5 });
      const changed = await send(body.with(2, line('changed')).join('\n'), key, 'keyed');
      expect(changed.status).toBe(207);
      expect(changed.body.summary).toMatchObject({ duplicates: 4, rejected: 1 });
      expect(changed.body.errors).toMatchObject([{ record: 3, code: 'idempotency-key-reused' }]);
    });

    it('uses the key `key#n` for record n, which a single request can send as well', async () => {
      await send(line('by-hash'), { 'x-idempotency-key': 'upload-2' }, 'by-hash');
      const single = await running.http
        .post('/v1/events')
        .set({ 'Content-Type': 'application/json', 'X-Tenant-Id': 'by-hash', 'Idempotency-Key': 'upload-2#1' })
        .send(line('by-hash'));
      expect(single.status).toBe(200);
    });

    it('stores two equal records as two events under a key, and as one event without a key', async () => {
      const twice = `${line('twin')}\n${line('twin')}\n`;
      const keyed = await send(twice, { 'x-idempotency-key': 'twins' }, 'twins');
      expect(keyed.body.summary).toMatchObject({ accepted: 2, duplicates: 0 });
      expect((await send(twice, {}, 'twins-unkeyed')).body.summary).toMatchObject({ accepted: 1, duplicates: 1 });
    });
  });

  describe('the headers', () => {
    it.each([
      [{ 'x-tenant-id': ['a', 'b'] as unknown as string }, 400, 'tenant-invalid'],
      [{ 'x-idempotency-key': 'a', 'idempotency-key': 'b' }, 400, 'idempotency-key-invalid'],
      [{ 'content-type': 'application/json' }, 415, 'unsupported-media-type'],
      [{ 'content-type': 'text/csv' }, 415, 'unsupported-media-type'],
      [{ 'content-encoding': 'rot13' }, 415, 'unsupported-content-encoding'],
    ])('are rejected: %j', async (headers, status, code) => {
      const answer = await postStream<ProblemAnswer>(running.url, 'acme', line('refused'), headers);
      expectProblem(answer, status, code);
    });

    it.each(['application/x-ndjson', 'application/ndjson', 'application/jsonl', 'application/x-ndjson; charset=utf-8'])(
      'may name NDJSON as %s',
      async (type) => {
        expect((await send(line(type), { 'content-type': type })).status).toBe(202);
      },
    );
  });
});

function toBuffer(part: string | Buffer): Buffer {
  return Buffer.from(part as string);
}
