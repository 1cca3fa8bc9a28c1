import type { OutgoingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { useApp } from '../../support/fixtures/app';
import {
  call,
  expectProblem,
  getEvent,
  postEvent,
  type AcceptedAnswer,
  type StreamEndpoint,
} from '../../support/e2e-http';

const STRUCTURED = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
const BATCH = { 'content-type': 'application/cloudevents-batch+json' };
const REQUIRED = { 'ce-specversion': '1.0', 'ce-type': 'order.paid', 'ce-source': '/shop' };

/** A CloudEvent as text; `data` is JSON text. */
function cloudEvent(id: string, more: Record<string, unknown> = {}, data = `"${id}"`): string {
  const attributes = JSON.stringify({ specversion: '1.0', id, type: 'order.paid', source: '/shop', ...more });
  return `${attributes.slice(0, -1)},"data":${data}}`;
}

describe('CloudEvents at POST /v1/events', () => {
  const running = useApp({ MAX_EVENT_BYTES: '2048' });

  const send = <T = AcceptedAnswer>(tenant: string, body: string | Buffer | Readable, headers: OutgoingHttpHeaders) =>
    call<T>(`${running.url}/v1/events`, { method: 'POST', headers: { 'x-tenant-id': tenant, ...headers }, body });
  const structured = (body: string, tenant = 'acme') => send(tenant, body, STRUCTURED);
  const read = (id: string, tenant = 'acme') => getEvent(running.url, tenant, id);
  const pointersOf = (answer: Awaited<ReturnType<typeof structured>>, code = 'invalid-event') =>
    expectProblem(answer, 400, code).errors?.map(({ pointer }) => pointer);
  const expectPayloadText = async (id: string, text: string, tenant = 'acme') =>
    expect((await read(id, tenant)).text).toContain(`"payload":${text},`);

  describe('in structured mode', () => {
    it('become events with a field for each attribute', async () => {
      const more = {
        subject: 'o-1',
        time: '2026-01-01T01:00:00.5+01:00',
        partitionkey: 'p-1',
        dataschema: 'urn:x',
      };
      const answer = await structured(cloudEvent('full', more));
      expect(answer.status).toBe(202);
      expect(answer.headers.location).toBe(`/v1/events/${answer.body.id}`);
      expect(answer.body).toMatchObject({ eventId: 'full', type: 'order.paid', subject: 'o-1', partitionKey: 'p-1' });
      expect((await read('full')).body).toMatchObject({
        type: 'order.paid',
        source: '/shop',
        subject: 'o-1',
        partitionKey: 'p-1',
        occurredAt: '2026-01-01T00:00:00.500Z',
        specVersion: '1.0',
        payload: 'full',
        extensions: { partitionkey: 'p-1', dataschema: 'urn:x' },
      });
    });

    it('use their source as default subject and partition key', async () => {
      const expected = { subject: '/shop', partitionKey: '/shop' };
      expect((await structured(cloudEvent('subjectless'))).body).toMatchObject(expected);
      const unset = await structured(cloudEvent('nulls', { subject: null, time: null, partitionkey: null }));
      expect([unset.status, unset.body]).toEqual([202, expect.objectContaining(expected)]); // null means "not set"
    });

    it.each([
      ['numbers', '{ "big": 12345678901234567890, "price": 10.10, "no": -0 }'],
      ['names', '{"__proto__":{"a":1},"constructor":1,"data":2,"id":3}'],
      ['escapes', '"\\u00e9\\/\\ud83d\\ude00 \\"}]"'],
      ['null', 'null'],
    ])('keep the text of their data: %s', async (what, data) => {
      expect((await structured(cloudEvent(`exact-${what}`, {}, data))).status).toBe(202);
      await expectPayloadText(`exact-${what}`, data);
    });

    it('may have binary data or none', async () => {
      const bare = cloudEvent('x', { subject: 'bare' }).replace(',"data":"x"', '');
      await structured(bare.replace('"x"', '"base64"').replace('}', ',"data_base64":"AP8="}'));
      expect((await read('base64')).body.payload).toEqual({ '@contentType': 'application/json', '@base64': 'AP8=' });
      await structured(bare.replace('"x"', '"dataless"'));
      expect((await read('dataless')).body.payload).toBeNull();
    });

    it.each(['id', 'type', 'source', 'specversion'])('are rejected without %s', async (name) => {
      const without = JSON.stringify({ specversion: '1.0', id: '1', type: 't', source: 's', [name]: undefined });
      expect(pointersOf(await structured(without))).toEqual([`/${name}`]);
      const empty = JSON.stringify({ specversion: '1.0', id: '1', type: 't', source: 's', [name]: '' });
      expect(pointersOf(await structured(empty))).toContain(`/${name}`);
    });

    it.each([
      ['all that is missing', '{}', ['/id', '/source', '/specversion', '/type']],
      ['another version', cloudEvent('1', { specversion: '0.3' }), ['/specversion']],
      ['a version that is a number', cloudEvent('1', { specversion: 1.0 }), ['/specversion']],
      ['an impossible time', cloudEvent('1', { time: '2026-02-30T00:00:00Z' }), ['/time']],
      ['an id that is a number', cloudEvent('1', { id: 7 }), ['/id']],
      ['a type that is too long', cloudEvent('1', { type: 'x'.repeat(256) }), ['/type']],
      ['data that is too deep', cloudEvent('1', {}, `${'['.repeat(70)}${']'.repeat(70)}`), ['/data']],
      ['data twice', cloudEvent('1').replace('}', ',"data":2}'), ['/data']],
      ['both kinds of data', cloudEvent('1', { data_base64: 'AA==' }), ['/data']],
    ])('are rejected with the pointer to %s', async (_what, body, pointers) => {
      expect(pointersOf(await structured(body))).toEqual(pointers);
    });

    it('are rejected for characters that cannot be stored, with the pointer', async () => {
      expect(pointersOf(await structured(cloudEvent('1', {}, '{"a":["\\u0000"]}')), 'unsupported-character')).toEqual([
        '/data/a/0',
      ]);
      expect(pointersOf(await structured(cloudEvent('1', { type: 'a\nb' })), 'unsupported-character')).toEqual([
        '/type',
      ]);
    });

    it('are rejected like any other event when they are not CloudEvents', async () => {
      expectProblem(await structured('{"id":'), 400, 'malformed-body');
      expectProblem(await structured('[]'), 400, 'invalid-event');
      expectProblem(await structured(cloudEvent('1', {}, `"${'x'.repeat(2_048)}"`)), 413, 'event-too-large');
    });

    it('get 200 when sent again, and 409 with different content', async () => {
      const first = await structured(cloudEvent('again'));
      const again = await structured(cloudEvent('again'));
      expect(again.status).toBe(200);
      expect(again.body).toEqual({ ...first.body, status: 'duplicate', duplicate: true });
      expectProblem(await structured(cloudEvent('again', {}, '2')), 409, 'event-id-conflict');
    });

    it('are read in structured mode even if headers repeat their attributes', async () => {
      const answer = await send('repeated', cloudEvent('both'), { ...STRUCTURED, ...REQUIRED, 'ce-id': 'both' });
      expect(answer.status).toBe(202);
      expect((await read('both', 'repeated')).body.payload).toBe('both');
    });
  });

  describe('in binary mode', () => {
    const binary = (id: string, body: string | Buffer, headers: OutgoingHttpHeaders = {}) =>
      send('acme', body, { 'content-type': 'application/json', ...REQUIRED, 'ce-id': id, ...headers });

    it('have their attributes in percent-encoded headers', async () => {
      const more = {
        'ce-subject': 'Gr%C3%BC%c3%9fe %E6%9D%B1+100%25',
        'ce-time': '2026-01-01T01:00:00+01:00',
        'ce-partitionkey': 'p',
      };
      expect((await binary('bin-1', '{ "price": 10.10 }', more)).status).toBe(202);
      const expected = {
        subject: 'Grüße 東+100%',
        occurredAt: '2026-01-01T00:00:00.000Z',
        partitionKey: 'p',
        source: '/shop',
      };
      expect((await read('bin-1')).body).toMatchObject(expected);
      await expectPayloadText('bin-1', '{ "price": 10.10 }');
      const quoted = await binary('bin-2', '1', { 'ce-subject': '"a \\"b\\" %E6%9D%B1"' });
      expect(quoted.body.subject).toBe('a "b" 東'); // the HTTP binding removes quotes first
    });

    it.each(['%', '%4', '%zz', 'a%C3', '%FF', '%ED%A0%80'])('are rejected for the header %j', async (subject) => {
      expect(pointersOf(await binary('escapes', '1', { 'ce-subject': subject }))).toEqual(['/subject']);
    });

    it.each([
      ['JSON of another name', 'application/vnd.shop+json; v=1', '[1.0]', '[1.0]'],
      [
        'text',
        'text/plain; charset=utf-8',
        '{"a":"東"}',
        '{"@contentType":"text/plain; charset=utf-8","@text":"{\\"a\\":\\"東\\"}"}',
      ],
      ['XML', 'application/xml', '<a>1</a>', '{"@contentType":"application/xml","@text":"<a>1</a>"}'],
      ['lines', 'application/x-ndjson', '1\n', '{"@contentType":"application/x-ndjson","@text":"1\\n"}'],
      [
        'bytes',
        'application/octet-stream',
        Buffer.from([0, 255]),
        '{"@contentType":"application/octet-stream","@base64":"AP8="}',
      ],
      ['text that is not UTF-8', 'text/xml', Buffer.from([255]), '{"@contentType":"text/xml","@base64":"/w=="}'],
      ['no data', 'application/json', '', 'null'],
    ])('may have data of this kind: %s', async (what, type, body, payload) => {
      expect((await binary(`data ${what}`, body, { 'content-type': type, 'ce-subject': what })).status).toBe(202);
      await expectPayloadText(`data ${what}`, payload);
    });

    it('may have no Content-Type and no body at all', async () => {
      expect((await send('acme', '', { ...REQUIRED, 'ce-id': 'bodyless', 'ce-subject': 'b' })).status).toBe(202);
      expect((await read('bodyless')).body.payload).toBeNull();
    });

    it.each(['{"a":', '1,"subject":"injected"', '1},{"x":1', '1}', ' '])(
      'are rejected for the JSON data %j',
      async (data) => expectProblem(await binary('broken', data), 400, 'malformed-body'),
    );

    it('cannot add envelope fields through a header', async () => {
      const subject = 'x","source":"injected","payload":"y';
      expect((await binary('inject', '1', { 'ce-subject': subject })).status).toBe(202);
      expect((await read('inject')).body).toMatchObject({ subject, source: '/shop', payload: 1 });
    });

    it('are rejected without a required attribute or with another version', async () => {
      expect(pointersOf(await send('acme', '1', { 'content-type': 'text/plain', 'ce-id': '1' }))).toEqual([
        '/source',
        '/specversion',
        '/type',
      ]);
      expect(pointersOf(await binary('1', '1', { 'ce-specversion': '0.3' }))).toEqual(['/specversion']);
      expectProblem(await binary('1', `"${'x'.repeat(2_048)}"`), 413, 'event-too-large');
      const xml = { 'content-type': 'application/xml' };
      expectProblem(await binary('1', 'x'.repeat(2_049), xml), 413, 'event-too-large');
      expect((await binary('gzip', gzipSync('<a/>'), { ...xml, 'content-encoding': 'gzip' })).status).toBe(202);
      await expectPayloadText('gzip', '{"@contentType":"application/xml","@text":"<a/>"}');
    });
  });

  it('have the same hash in each mode as the same native event', async () => {
    const time = '2026-01-01T00:00:00Z';
    const fields = { eventId: 'fact', eventType: 'order.paid', source: '/shop', subject: 's', occurredAt: time };
    const native = await postEvent(running.url, 'hash', JSON.stringify({ ...fields, payload: { b: 1, a: 2 } }));
    expect(native.status).toBe(202);
    const sent = [
      await structured(
        cloudEvent('fact', { subject: 's', time: '2026-01-01T02:00:00.000+02:00' }, '{"a":2.0,"b":1}'),
        'hash',
      ),
      await send('hash', '{"a":2,"b":1}', { ...REQUIRED, 'ce-id': 'fact', 'ce-subject': 's', 'ce-time': time }),
    ];
    expect(sent.map(({ status }) => status)).toEqual([202, 200]); // the id of an envelope is another kind of id
    for (const { body } of sent) expect(body.hash).toBe(native.body.hash);
    expect(sent[1]?.body.id).toBe(sent[0]?.body.id);
  });

  it('are different events when the same id comes from two sources; reading by the id says so', async () => {
    const answers = [];
    for (const source of ['/a', '/b', '/c']) answers.push(await structured(cloudEvent('7', { source }), 'sources'));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    const [a, b, c] = answers.map(({ body }) => body.id);
    const at = (path = '') => call(`${running.url}/v1/events/${path}`, { headers: { 'x-tenant-id': 'sources' } });
    expect((await at('7')).body).toMatchObject({
      id: c,
      source: '/c',
      others: [
        { id: b, source: '/b' },
        { id: a, source: '/a' },
      ],
    });
    const only = await at('7?source=%2Fa');
    expect(only.body).toMatchObject({ id: a, source: '/a' });
    expect(only.body).not.toHaveProperty('others');
    expect((await at(b)).body).not.toHaveProperty('others');
    expect((await at(`${b}?source=/b`)).body).toMatchObject({ id: b });
    for (const none of ['7?source=/d', `${b}?source=/a`, '7?source=', '7?source=%00'])
      expectProblem(await at(none), 404, 'event-not-found');
    expectProblem(await at('7?source=/a&source=/b'), 400, 'invalid-request');
  });

  describe('in a batch', () => {
    const batch = (tenant: string, body: string | Readable, headers: OutgoingHttpHeaders = {}) =>
      send<StreamEndpoint>(tenant, body, { ...BATCH, ...headers });
    const countsOf = ({ status, body: { summary: s } }: Awaited<ReturnType<typeof batch>>) => [
      status,
      s.records,
      s.accepted,
      s.duplicates,
      s.rejected,
    ];

    it('get 202, 207 and 422 like a stream', async () => {
      const body = `[${cloudEvent('1')}, ${cloudEvent('2', {}, '10.10')}]`;
      const all = await batch('batch', body);
      expect(countsOf(all)).toEqual([202, 2, 2, 0, 0]);
      expect(all.body).toMatchObject({ status: 'accepted', summary: { bytes: body.length } });
      await expectPayloadText('2', '10.10', 'batch');
      const some = await batch('batch', `\n[ 1 , ${cloudEvent('3')}\n,${cloudEvent('1')},{"id":"4"}, [] ]\n`);
      expect(countsOf(some)).toEqual([207, 5, 1, 1, 3]);
      expect(some.body.errors).toMatchObject([
        { record: 1, code: 'invalid-event' },
        { record: 4, pointer: '/source' },
        { record: 5, code: 'invalid-event' },
      ]);
      const none = await batch('batch', '[{}]');
      expect([...countsOf(none), none.body.code]).toEqual([422, 1, 0, 0, 1, 'stream-rejected']);
    });

    it.each(['[]', ' [ \n ] ', '\ufeff[]'])('may be an empty array: %j', async (body) => {
      expect(countsOf(await batch('none', body))).toEqual([202, 0, 0, 0, 0]);
    });

    it.each([
      ['an object', cloudEvent('1'), 0],
      ['nothing', '', 0],
      ['no JSON', 'hello', 0],
      ['a cut array', `[${cloudEvent('1')},${cloudEvent('2').slice(0, -1)}`, 1],
      ['an array without its end', `[${cloudEvent('1')}, ${cloudEvent('2')}`, 1],
      ['a missing element', `[${cloudEvent('1')},,${cloudEvent('2')}]`, 1],
      ['a comma before the end', `[${cloudEvent('1')},]`, 1],
      ['something after the array', `[${cloudEvent('1')}] []`, 1],
      ['an array that ends in a brace', `[${cloudEvent('1')}}`, 0],
    ])('are malformed-body when the body is %s', async (what, body, kept) => {
      const problem = expectProblem(await batch(what.replaceAll(' ', '-'), body), 400, 'malformed-body');
      expect(problem.lastCommittedRecord).toBe(problem.summary?.accepted);
      expect(problem.summary?.accepted).toBeGreaterThanOrEqual(kept);
    });

    it('are rejected alone when too large; white space between them does not count', async () => {
      const large = cloudEvent('large', {}, `["${'x'.repeat(10_000)}",{"a":["]"]}]`);
      const answer = await batch('large', `[${cloudEvent('1')},${large},${cloudEvent('3')}]`);
      expect(countsOf(answer)).toEqual([207, 3, 2, 0, 1]);
      expect(answer.body.errors).toMatchObject([{ record: 2, code: 'event-too-large' }]);
      const gap = ' \n'.repeat(2_000);
      expect(countsOf(await batch('gaps', `[${gap}${cloudEvent('1')}${gap},${gap}${cloudEvent('2')}${gap}]`))).toEqual([
        202, 2, 2, 0, 0,
      ]);
    });

    it('are duplicates when sent again, with and without a key', async () => {
      const body = `[${Array.from({ length: 120 }, (_, n) => cloudEvent(`again-${n}`)).join(',')}]`;
      const inPieces = Readable.from(body.match(/[^]{1,700}/g) as string[]);
      expect(countsOf(await batch('resent', inPieces))).toEqual([202, 120, 120, 0, 0]);
      expect(countsOf(await batch('resent', body))).toEqual([202, 120, 0, 120, 0]);
      const key = { 'idempotency-key': 'batch-1' };
      expect(countsOf(await batch('keyed', body, key))).toEqual([202, 120, 120, 0, 0]);
      expect(countsOf(await batch('keyed', body, key))).toEqual([202, 120, 0, 120, 0]);
    });

    it('can get their results line by line', async () => {
      const headers = { ...BATCH, 'x-tenant-id': 'lines', accept: 'application/x-ndjson' };
      const body = `[${cloudEvent('1')},{}]`;
      const text = await (await fetch(`${running.url}/v1/events`, { method: 'POST', headers, body })).text();
      expect(text).toMatch(/^{"record":1,"status":"accepted".*\n{"record":2,"status":"rejected".*\n{"summary":.*\n$/);
    });
  });
});
