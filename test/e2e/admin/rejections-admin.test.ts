import { createHash, createHmac } from 'node:crypto';
import { ask, createdOperator, expectStatus } from '../../support/access/access-admin';
import { createdSource, type SourceBody } from '../../support/admin-sources';
import { useApp } from '../../support/fixtures/app';
import { call, expectProblem } from '../../support/e2e-http';

const UNKNOWN = '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a';
const SECRET = 'a secret of sixteen or more';

interface RejectionBody {
  id: string;
  sourceId: string;
  code: string;
  pointer: string | null;
  rawText?: string | null;
  rawBase64?: string | null;
  truncated?: boolean;
  digest?: string;
}
interface Page {
  rejections: RejectionBody[];
  nextCursor: string | null;
}

describe('what came through sources', () => {
  const api = useApp({ APP_ROLE: 'api' });
  let source: SourceBody;
  beforeAll(async () => {
    source = await createdSource(api.url, { secrets: [SECRET] });
  });

  const send = (body: string | Buffer, { url } = source, correlationId = 'c-raw') => {
    const signature = createHmac('sha256', SECRET).update(body).digest('hex');
    const headers = { 'x-signature': signature, 'x-correlation-id': correlationId, 'content-type': 'application/json' };
    return call<{ id: string; rejectionId: string }>(`${url}/below?a=1`, { method: 'POST', headers, body });
  };
  const list = (query = '', token?: string) => ask<Page>(api.url, 'GET', `rejections?${query}`, token ? { token } : {});
  const digestOf = (body: string | Buffer): string => createHash('sha256').update(body).digest('hex');

  it('and was rejected is listed without its bytes, newest first and by any filter', async () => {
    const first = (await send('{"type":"sale"}')).body.rejectionId;
    const second = (await send('{"type":"sale","id":null}', source, 'c-second')).body.rejectionId;
    const { body } = await list(`sourceId=${source.id}`);
    expect(body.rejections.map(({ id }) => id)).toEqual([second, first]);
    expect(body.rejections[0]).toMatchObject({ code: 'invalid-event', pointer: '/subject', sourceId: source.id });
    for (const shown of body.rejections) {
      expect(Object.keys(shown)).toEqual(expect.not.arrayContaining(['body', 'rawText', 'digest', 'request']));
    }
    const ids = async (query: string) => (await list(query)).body.rejections.map(({ id }) => id);
    expect(await ids('correlationId=c-second')).toEqual([second]);
    expect(await ids('code=event-id-conflict')).toEqual([]);
    expect(await ids('tenantId=demo&code=invalid-event')).toEqual([second, first]);
    expect(await ids('tenantId=other')).toEqual([]);
    expect(await ids('to=2026-01-01T00:00:00Z')).toEqual([]);
    expect(await ids('from=2026-01-01T00:00:00Z')).toEqual([second, first]);
    const one = (await list('limit=1')).body;
    expect(one.rejections.map(({ id }) => id)).toEqual([second]);
    expect(await ids(`limit=1&cursor=${one.nextCursor}`)).toEqual([first]);
    for (const wrong of ['sourceId=x', 'code=nothing', 'from=x', 'cursor=x']) {
      expectProblem(await list(wrong), 400, 'invalid-request');
    }
  });

  it('and was rejected is shown with its bytes: as text, or in base64', async () => {
    const text = '{ "type": "sale" , "n": 12345678901234567890 }';
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x7b]);
    const read = async (id: string) =>
      expectStatus(200, ask<RejectionBody & { request: object }>(api.url, 'GET', `rejections/${id}`));
    expect(await read((await send(text)).body.rejectionId)).toMatchObject({
      rawText: text,
      rawBase64: null,
      truncated: false,
      digest: digestOf(text),
      request: { method: 'POST', path: '/below', query: { a: '1' } },
    });
    expect(await read((await send(bytes)).body.rejectionId)).toMatchObject({
      rawText: null,
      rawBase64: bytes.toString('base64'),
      digest: digestOf(bytes),
    });
    const large = `{"type":"sale","text":"${'é'.repeat(200_000)}"}`;
    const whole = await read((await send(large)).body.rejectionId);
    expect([whole.truncated, whole.digest, whole.rawText === large]).toEqual([false, digestOf(large), true]);
  });

  it('and was rejected needs the role support, and is limited to the tenants of an operator', async () => {
    const { rejectionId } = (await send('{}')).body;
    const viewer = await createdOperator(api.url, { role: 'viewer' });
    expect((await list('', viewer.token)).status).toBe(200);
    expectProblem(
      await ask(api.url, 'GET', `rejections/${rejectionId}`, { token: viewer.token }),
      403,
      'role-insufficient',
    );
    const other = await createdOperator(api.url, { role: 'support', tenantIds: ['other'] });
    expect((await list('', other.token)).body.rejections).toEqual([]);
    for (const [id, token] of [
      [rejectionId, other.token],
      [UNKNOWN, undefined],
    ] as const) {
      const options = token ? { token } : {};
      expectProblem(await ask(api.url, 'GET', `rejections/${id}`, options), 404, 'rejection-not-found');
    }
  });

  it('as an event has its request, with the body exactly as it was signed', async () => {
    const text = ' {"type":"sale" , "id":"raw-1","n":10.10} ';
    for (const body of [text, text.trim().replace('raw-1', 'raw-2')]) {
      const { id } = (await send(body)).body;
      const raw = await expectStatus(200, ask<Record<string, unknown>>(api.url, 'GET', `events/${id}/raw`));
      expect(raw).toMatchObject({
        eventId: id,
        sourceId: source.id,
        method: 'POST',
        path: '/below',
        query: { a: '1' },
        rawText: body,
        rawBase64: null,
        digest: digestOf(body),
      });
      const signature = createHmac('sha256', SECRET).update(String(raw.rawText)).digest('hex');
      expect(raw.headers).toMatchObject({ 'x-signature': signature });
    }
    expectProblem(await ask(api.url, 'GET', `events/${UNKNOWN}/raw`), 404, 'event-not-found');
    const { id } = (await send('{"type":"sale","id":"raw-3"}')).body;
    const other = await createdOperator(api.url, { role: 'support', tenantIds: ['other'] });
    expectProblem(await ask(api.url, 'GET', `events/${id}/raw`, { token: other.token }), 404, 'event-not-found');
    const viewer = await createdOperator(api.url, { role: 'viewer' });
    expectProblem(await ask(api.url, 'GET', `events/${id}/raw`, { token: viewer.token }), 403, 'role-insufficient');
  });

  it('as an event says how it was verified; other events were not', async () => {
    const read = async (id: string) =>
      (await call<{ verified: unknown }>(`${api.url}/v1/events/${id}`, { headers: { 'x-tenant-id': 'demo' } })).body;
    const { id } = (await send('{"type":"sale","id":"verified-1"}')).body;
    expect((await read(id)).verified).toEqual({ source: 'till', provider: 'custom', keyHint: `…${SECRET.slice(-4)}` });
    const open = await createdSource(api.url, { verification: { scheme: 'none' }, allowUnverified: true });
    const unverified = (await send('{"type":"sale","id":"verified-2"}', open)).body.id;
    expect((await read(unverified)).verified).toBeNull();
    const posted = await call<{ id: string }>(`${api.url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-tenant-id': 'demo' },
      body: JSON.stringify({ eventType: 'sale', subject: 's', payload: 1 }),
    });
    expect((await read(posted.body.id)).verified).toBeNull();
    expectProblem(await ask(api.url, 'GET', `events/${posted.body.id}/raw`), 404, 'raw-not-found');
  });

  it('as an event is found by the id of its source, in lists and in bulk', async () => {
    const own = await createdSource(api.url, { secrets: [SECRET] });
    const { id } = (await send('{"type":"sale","id":"by-source"}', own)).body;
    await send('{"type":"sale","id":"by-source"}');
    const found = await ask<{ events: { id: string }[] }>(api.url, 'GET', `events?sourceId=${own.id.toUpperCase()}`);
    expect([found.status, found.text]).toEqual([200, expect.anything()]);
    expect(found.body.events.map((event) => event.id)).toEqual([id]);
    const body = { tenantId: 'demo', sourceId: own.id, mode: 'republish', dryRun: true };
    expect((await ask(api.url, 'POST', 'replay', { body })).body).toMatchObject({ matched: 1 });
    const none = await ask<{ events: unknown[] }>(api.url, 'GET', `events?sourceId=${UNKNOWN}`);
    expect(none.body.events).toEqual([]);
    for (const path of ['dlq', 'dlq/reasons']) {
      expect((await ask(api.url, 'GET', `${path}?sourceId=${own.id}`)).status).toBe(200);
    }
    expectProblem(await ask(api.url, 'GET', 'events?sourceId=x'), 400, 'invalid-request');
  });
});
