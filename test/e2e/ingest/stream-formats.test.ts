import { Agent, request } from 'node:http';
import { Readable } from 'node:stream';
import { setImmediate as tick } from 'node:timers/promises';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { startTestApp, type TestApp } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { syntheticEvents, toNdjson, type SyntheticEvent } from '../../support/e2e-events';
import { call, expectProblem, getEvent, postStream, type ProblemAnswer } from '../../support/e2e-http';

const MAX_EVENT = 2_048;
const MAX_STREAM = 300_000;
const NDJSON = { 'content-type': 'application/x-ndjson' };
const XML = { 'content-type': 'application/xml' };
const ENCODERS: Record<string, (text: string | Buffer) => Buffer> = {
  gzip: (text) => gzipSync(text),
  deflate: (text) => deflateSync(text),
  br: (text) => brotliCompressSync(text),
  zstd: (text) => zstdCompressSync(text),
};

const escaped = (text: string) =>
  text.replace(/[<>&"]/g, (c) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' })[c] as string);
const xmlEvent = (fields: Record<string, string>, payload: string) =>
  `<event eventId="${fields.eventId}"><eventType>${fields.eventType}</eventType>\n<subject>${fields.subject}</subject>
    <occurredAt>${fields.occurredAt}</occurredAt><payload>${payload}</payload></event>`;
/** The same events as XML: the envelope as elements, the payload as its JSON text. */
const toXml = (events: SyntheticEvent[]) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<events>${events
    .map(({ line, payloadText }) => xmlEvent(JSON.parse(line) as Record<string, string>, escaped(payloadText)))
    .join('\n')}</events>\n`;
const simpleXml = (id: string, more = '') =>
  `<event eventId="${id}" eventType="x" subject="s"><payload>${id}</payload>${more}</event>`;
const simpleLine = (text: string) => `{"eventType":"x","subject":"s","payload":"${text}"}`;

describe('the formats of a stream', () => {
  let database: TestDatabase;
  let running: TestApp;
  const agent = new Agent({ keepAlive: true });
  beforeAll(async () => {
    database = await createTestDatabase();
    const limits = { MAX_EVENT_BYTES: String(MAX_EVENT), STREAM_MAX_BYTES: String(MAX_STREAM) };
    running = await startTestApp(database.url, limits);
  });
  afterAll(async () => {
    agent.destroy();
    await running.close();
    await database.drop();
  });

  const send = (tenant: string, body: string | Buffer | Readable, headers: Record<string, string>) =>
    postStream(running.url, tenant, body, headers);
  const broken = async (tenant: string, body: string | Buffer, headers: Record<string, string>, status: number) => {
    const answer = await postStream<ProblemAnswer>(running.url, tenant, body, headers);
    const code = { 400: 'malformed-body', 413: 'stream-too-large', 415: 'unsupported-content-encoding' }[status];
    return expectProblem(answer, status, code as string);
  };
  const storedFor = async (tenant: string): Promise<number> =>
    (await database.pool.query('select from events where tenant_id = $1', [tenant])).rowCount ?? 0;

  describe('XML', () => {
    it('contains only duplicates after the same events as NDJSON', async () => {
      const events = syntheticEvents(130, 'twin');
      expect((await send('twin', toNdjson(events), NDJSON)).body.summary).toMatchObject({ accepted: 130 });
      const twin = await send('twin', toXml(events), XML);
      expect(twin.status).toBe(202);
      expect(twin.body).toMatchObject({ errors: [], summary: { accepted: 0, duplicates: 130, rejected: 0 } });
      expect(await storedFor('twin')).toBe(130);
    });

    it('is a duplicate of the same event as NDJSON when its payload consists of elements', async () => {
      const fields = {
        eventId: 'el-1',
        eventType: 'order.paid',
        subject: 'o-1',
        occurredAt: '2026-01-01T01:00:00+01:00',
      };
      const payload = { order: { '@no': '7', '#text': 'Zoë & <Co>' }, tag: ['a', 'b'], empty: null, nil: null };
      await send('elements', JSON.stringify({ ...fields, payload }), NDJSON);
      const elements = `<order no="7">Zoë &amp; &lt;Co&gt;</order><tag>a</tag><tag><![CDATA[b]]></tag><empty/>
        <nil xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>`;
      const twin = await send('elements', `<events>${xmlEvent(fields, elements)}</events>`, {
        'content-type': 'text/xml',
      });
      expect(twin.body.summary).toMatchObject({ records: 1, duplicates: 1 });
    });

    it('is another event when only a namespace or white space differs, and its payload has both', async () => {
      const event = (xmlns: string, blank: string) =>
        `<event eventType="x" subject="s"><payload><Document xmlns="${xmlns}"><a>${blank}</a></Document></payload></event>`;
      const documents = [event('urn:iso:pain.001.03', ''), event('urn:iso:pain.001.09', ''), event('urn:iso:pain.001.03', ' ')]; // prettier-ignore
      const { body } = await send('namespaces', `<events>${documents.join('')}</events>`, XML);
      expect(body.summary).toMatchObject({ records: 3, accepted: 3 });
      const again = await send('namespaces', `<e>${documents[1]}</e>`, XML);
      expect(again.body.summary).toMatchObject({ duplicates: 1 });
      const { rows } = await database.pool.query(
        `select payload from events where tenant_id = 'namespaces' order by id`,
      );
      expect(rows).toEqual([
        { payload: '{"Document":{"@xmlns":"urn:iso:pain.001.03","a":null}}' },
        { payload: '{"Document":{"@xmlns":"urn:iso:pain.001.09","a":null}}' },
        { payload: '{"Document":{"@xmlns":"urn:iso:pain.001.03","a":" "}}' },
      ]);
    });

    it('is as large as the bytes received, not as its JSON', async () => {
      const event = (id: string, length: number) => {
        const [start, end] = [
          `<event eventId="${id}" eventType="x" subject="€"><payload><a>`,
          '</a></payload></event>',
        ];
        const elements = '<a/>'.repeat(100);
        return start + elements.padEnd(length - Buffer.byteLength(start + end), '\t') + end;
      };
      const { body } = await send('xml-size', `<e>${event('fits', MAX_EVENT)}${event('over', MAX_EVENT + 1)}</e>`, XML);
      expect(body.summary).toMatchObject({ records: 2, accepted: 1, rejected: 1 });
      expect(body.errors).toMatchObject([{ record: 2, code: 'event-too-large' }]);
      const { rows } = await database.pool.query(`select size_bytes from events where tenant_id = 'xml-size'`);
      expect(rows).toEqual([{ size_bytes: MAX_EVENT }]);
      const elements = simpleXml('3').replace('>3<', `>${'<a/>'.repeat(450)}<`);
      expect((await send('xml-size', `<e>${elements}</e>`, XML)).body.summary).toMatchObject({ accepted: 1 });
    });

    it('gets 202, 207 and 422 like NDJSON', async () => {
      const [good, bad] = [simpleXml('1'), simpleXml('2', '<typo/>')];
      const all = await send('xml', `<events>${good}</events>`, XML);
      expect([all.status, all.body.status]).toEqual([202, 'accepted']);
      const some = await send('xml', `<e>${good}${bad}${simpleXml('3')}</e>`, XML);
      expect([some.status, some.body.status]).toEqual([207, 'partial']);
      expect(some.body.summary).toMatchObject({ records: 3, accepted: 1, duplicates: 1, rejected: 1 });
      expect(some.body.errors).toMatchObject([{ record: 2, code: 'invalid-event', pointer: '/typo' }]);
      const none = await send('xml', `<e>${bad}</e>`, XML);
      expect([none.status, none.body.status, none.body.code]).toEqual([422, 'rejected', 'stream-rejected']);
    });

    it('loses only the event that is too large', async () => {
      const large = simpleXml('2', `<source>${'x'.repeat(5_000)}</source>`);
      const { body } = await send('xml-large', `<e>${simpleXml('1')}${large}${simpleXml('3')}</e>`, XML);
      expect(body.summary).toMatchObject({ records: 3, accepted: 2, rejected: 1 });
      expect(body.errors).toMatchObject([{ record: 2, code: 'event-too-large' }]);
    });

    it.each([
      ['a DOCTYPE after two records', `<e>${simpleXml('1')}${simpleXml('2')}<!DOCTYPE e>${simpleXml('3')}</e>`, 2],
      ['a DOCTYPE before them', `<!DOCTYPE e [<!ENTITY x "y">]><e>${simpleXml('1')}</e>`, 0],
      ['an undefined entity', `<e>${simpleXml('1')}${simpleXml('&x;')}</e>`, 1],
      ['an end that is missing', `<e>${simpleXml('1')}${simpleXml('2').slice(0, -3)}`, 1],
    ])('is malformed-body with %s, and the records before it stay', async (what, document, kept) => {
      const tenant = `xml-${what.replaceAll(' ', '-')}`;
      const problem = await broken(tenant, document, XML, 400);
      expect(problem.summary).toMatchObject({ records: kept, accepted: kept, duplicates: 0, rejected: 0 });
      expect(problem.lastCommittedRecord).toBe(kept);
      expect(await storedFor(tenant)).toBe(kept);
    });
  });

  describe.each(Object.entries(ENCODERS))('in %s', (encoding, encode) => {
    const events = syntheticEvents(60, encoding);
    const encodingHeader = { 'content-encoding': encoding };

    it('accepts NDJSON and XML, and counts decompressed bytes', async () => {
      const [lines, xml] = [toNdjson(events), toXml(events)];
      const first = await send(encoding, encode(lines), { ...NDJSON, ...encodingHeader });
      expect(first.status).toBe(202);
      expect(first.body.summary).toMatchObject({ accepted: 60, bytes: Buffer.byteLength(lines) });
      const second = await send(encoding, encode(xml), { ...XML, ...encodingHeader });
      expect(second.body.summary).toMatchObject({ duplicates: 60, bytes: Buffer.byteLength(xml) });
    });

    it('accepts the bytes one by one', async () => {
      const encoded = encode(toNdjson(events.slice(0, 2)));
      const bytes = Readable.from(Array.from(encoded, (byte) => Buffer.from([byte])));
      const { body } = await send(`${encoding}-bytewise`, bytes, { ...NDJSON, ...encodingHeader });
      expect(body.summary).toMatchObject({ records: 2, accepted: 2 });
    });

    it.each([
      ['plain text', () => Buffer.from(toNdjson(events))],
      ['another coding', () => (encoding === 'gzip' ? zstdCompressSync : gzipSync)(toNdjson(events))],
      ['a part of it', () => encode(toNdjson(events)).subarray(0, -12)],
      ['its first byte', () => encode(toNdjson(events)).subarray(0, 1)],
      ['records after its end', () => Buffer.concat([encode(toNdjson(events)), Buffer.from(simpleLine('lost'))])],
    ])('rejects %s as malformed-body', async (what, body) => {
      const tenant = `${encoding}-${what.replaceAll(' ', '-')}`;
      const problem = await broken(tenant, body(), { ...NDJSON, ...encodingHeader }, 400);
      expect(problem.detail).toContain(encoding);
      expect(problem.lastCommittedRecord).toBe(problem.summary?.records);
      expect(await storedFor(tenant)).toBe(problem.summary?.accepted);
    });

    it('rejects a small body that decompresses to more than STREAM_MAX_BYTES', async () => {
      const bomb = encode(toNdjson(events.slice(0, 5)) + '\n'.repeat(5 * MAX_STREAM));
      expect(bomb.length).toBeLessThan(MAX_STREAM / 50);
      const problem = await broken(`${encoding}-bomb`, bomb, { ...NDJSON, ...encodingHeader }, 413);
      expect(problem).toMatchObject({ summary: { records: 5, accepted: 5 }, lastCommittedRecord: 5 });
    });
  });

  it.each(['rot13', 'gzip, br', 'compress', 'constructor', ''])(
    'rejects the encoding %j as unsupported',
    async (encoding) => {
      await broken('unknown', simpleLine('x'), { ...NDJSON, 'content-encoding': encoding }, 415);
      expect(await storedFor('unknown')).toBe(0);
    },
  );

  it('accepts every frame of zstd, every member of gzip, and deflate without its header', async () => {
    const [one, two] = [`${simpleLine('one')}\n`, `${simpleLine('two')}\n`];
    const bodies: [string, Buffer][] = [
      ['zstd', Buffer.concat([zstdCompressSync(one), zstdCompressSync(two)])],
      ['gzip', Buffer.concat([gzipSync(one), gzipSync(two), Buffer.alloc(512)])],
      ['deflate', deflateRawSync(one + two)],
    ];
    for (const [encoding, body] of bodies) {
      const answer = await send(`frames-${encoding}`, body, { ...NDJSON, 'content-encoding': encoding });
      expect(answer.status).toBe(202);
      expect(answer.body.summary).toMatchObject({ accepted: 2, bytes: Buffer.byteLength(one + two) });
    }
  });

  it.each(['x-gzip', 'X-GZIP', 'gzip, identity', 'identity,gzip'])('accepts gzip as %j', async (encoding) => {
    const headers = { ...NDJSON, 'content-encoding': encoding };
    expect((await send('names', gzipSync(simpleLine(encoding)), headers)).status).toBe(202);
  });

  it('accepts the names of encodings in upper case', async () => {
    const headers = { ...NDJSON, 'content-encoding': 'GZIP' };
    expect((await send('upper', gzipSync(simpleLine('upper')), headers)).status).toBe(202);
    expect((await send('upper', simpleLine('upper'), { ...NDJSON, 'content-encoding': 'Identity' })).status).toBe(202);
  });

  it('accepts characters split over chunks, and rejects a line that is not UTF-8 alone', async () => {
    const parts = [
      '{"eventId":"utf-1","eventType":"x","subject":"東京","payload":"👩‍👩‍👧"}\n',
      Buffer.from([0xe6, 0x9d, 0x0a]),
    ];
    const xml = `<e>${simpleXml('3', '<source>é東👩‍👩‍👧</source>')}</e>`;
    const inTwos = (bytes: Buffer) =>
      Readable.from(Array.from({ length: Math.ceil(bytes.length / 2) }, (_, i) => bytes.subarray(i * 2, i * 2 + 2)));
    const bytes = Buffer.concat([...parts, simpleLine('after')].map((part) => Buffer.from(part as string)));
    const { body } = await send('utf', inTwos(bytes), NDJSON);
    expect(body.summary).toMatchObject({ records: 3, accepted: 2, rejected: 1 });
    expect(body.errors).toMatchObject([{ record: 2, code: 'malformed-body' }]);
    expect((await getEvent(running.url, 'utf', 'utf-1')).body).toMatchObject({ subject: '東京', payload: '👩‍👩‍👧' });
    expect((await send('utf', inTwos(Buffer.from(xml)), XML)).body.summary).toMatchObject({ accepted: 1 });
    expect((await getEvent(running.url, 'utf', '3')).body.source).toBe('é東👩‍👩‍👧');
  });

  it('a record that is an array is no event; sent alone to POST /v1/events, it would be a list of events', async () => {
    const { body } = await send('arrays', Readable.from([`[${simpleLine('1')}]\n[]\n${simpleLine('2')}\n`]), NDJSON);
    expect(body.summary).toMatchObject({ records: 3, accepted: 1, rejected: 2 });
    expect(body.errors).toMatchObject([{ code: 'invalid-event' }, { code: 'invalid-event' }]);
  });

  describe('any mix of records in any chunking', () => {
    const withId = (id: number, more: string) => `{"eventId":"${id}","eventType":"x","subject":"s","payload":${more}}`;
    const good = fc.nat(3).map((n) => withId(n, `{"n":${n},"text":"é東👩"}`));
    const oversized = fc.nat(5_000).map((n) => simpleLine('x'.repeat(MAX_EVENT - simpleLine('').length + 1 + n)));
    const record = fc.oneof(
      { weight: 4, arbitrary: good },
      { weight: 2, arbitrary: fc.nat(3).map((n) => simpleLine(`${n}`)) },
      { weight: 1, arbitrary: fc.nat(3).map((n) => withId(n, 'null')) }, // different content under an eventId
      { weight: 1, arbitrary: oversized },
      { weight: 1, arbitrary: fc.constant(simpleLine('y'.repeat(MAX_EVENT - simpleLine('').length))) },
      {
        weight: 2,
        arbitrary: fc.constantFrom('{"eventType":', '{}', 'null', '"x"', '{"eventType":"x","typo":1,"payload":1}'),
      },
      { weight: 1, arbitrary: fc.constantFrom(simpleLine('\\u0000'), withId(9, `${'['.repeat(70)}${']'.repeat(70)}`)) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(Buffer.from([0x22, 0xff, 0x22]), Buffer.from(simpleLine('é'), 'latin1')),
      },
    );
    const records = fc.array(fc.tuple(record, fc.constantFrom('\n', '\r\n', '\n\n', '\n \n')), {
      minLength: 1,
      maxLength: 9,
    });

    interface Verdict {
      status: string;
      code?: string;
    }
    async function oneByOne(tenant: string, bodies: Buffer[]): Promise<Verdict[]> {
      const verdicts: Verdict[] = [];
      for (const body of bodies) {
        const headers = { 'content-type': 'application/json', 'x-tenant-id': tenant };
        const answer = await call<Verdict>(`${running.url}/v1/events`, { method: 'POST', headers, body, agent });
        const rejected = answer.status !== 202 && answer.status !== 200;
        verdicts.push(rejected ? { status: 'rejected', code: answer.body.code } : { status: answer.body.status });
      }
      return verdicts;
    }
    async function chunked(tenant: string, chunks: Buffer[]): Promise<Verdict[]> {
      const headers = { ...NDJSON, 'x-tenant-id': tenant, accept: 'application/x-ndjson' };
      const outgoing = request(`${running.url}/v1/ingest/stream`, { method: 'POST', headers, agent });
      outgoing.setNoDelay(true);
      const text = new Promise<string>((resolve, reject) => {
        outgoing.on('error', reject);
        outgoing.on(
          'response',
          (incoming) =>
            void incoming
              .setEncoding('utf8')
              .toArray()
              .then((all) => resolve(all.join('')), reject),
        );
      });
      for (const chunk of chunks) {
        outgoing.write(chunk);
        await tick();
      }
      outgoing.end();
      const lines = (await text)
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Verdict);
      return lines.slice(0, -1).map(({ status, code }) => (code === undefined ? { status } : { status, code }));
    }

    it('gives each record the result that it gets when sent alone', async () => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(
          records,
          fc.array(fc.nat(4_000), { maxLength: 12 }),
          fc.boolean(),
          async (sent, cuts, open) => {
            run += 1;
            const bodies = sent.map(([body]) => Buffer.from(body as string));
            const parts = sent.flatMap(([, end], i) => [bodies[i] as Buffer, Buffer.from(end)]);
            const bytes = Buffer.concat(open ? parts.slice(0, -1) : parts); // the last line may lack its line break
            const ends = [...cuts.map((cut) => cut % bytes.length), bytes.length].toSorted((a, b) => a - b);
            const chunks = ends
              .map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
              .filter(({ length }) => length > 0);
            expect(await chunked(`stream-${run}`, chunks)).toEqual(await oneByOne(`alone-${run}`, bodies));
          },
        ),
        { numRuns: 30 },
      );
    });
  });
});
