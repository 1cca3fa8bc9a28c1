import { createHmac } from 'node:crypto';
import { ask } from '../../support/access/access-admin';
import { createdSource, type SourceBody } from '../../support/admin-sources';
import { givenOperator, heedAccess } from '../../support/credentials';
import { useApp } from '../../support/fixtures/app';
import { call, expectProblem } from '../../support/e2e-http';

const SECRET = 'a secret of sixteen or more';

describe('POST /v1/admin/sources/{id}/test', () => {
  const api = useApp({ APP_ROLE: 'api' });
  let source: SourceBody;
  beforeAll(async () => {
    source = await createdSource(api.url, { secrets: [SECRET], accept: { type: { $neq: 'dull' } } });
  });
  const signed = (body: string, secret = SECRET) => ({
    body,
    headers: { 'X-Signature': createHmac('sha256', secret).update(body).digest('hex') },
  });
  const attempt = async (body: object) =>
    (await ask<Record<string, unknown>>(api.url, 'POST', `sources/${source.id}/test`, { body })).body;

  it('says what a request would lead to, and stores nothing', async () => {
    const request = signed('{"type":"sale","id":"t-1"}');
    expect(await attempt(request)).toMatchObject({
      outcome: 'accepted',
      answer: { status: 200 },
      events: [{ type: 'sale', subject: 't-1', eventId: 't-1', payload: { type: 'sale', id: 't-1' } }],
      steps: [
        { step: 'address' },
        { step: 'signature', ok: true },
        { step: 'body' },
        { step: 'mapping', ok: true },
        {},
        {},
      ],
    });
    for (const table of ['events', 'rejections']) {
      expect((await api.pool.query(`select from ${table}`)).rowCount).toBe(0);
    }
    const { status } = await call(source.url, {
      method: 'POST',
      headers: { 'x-signature': request.headers['X-Signature'] },
      body: request.body,
    });
    expect(status).toBe(200);
    expect(await attempt(request)).toMatchObject({ outcome: 'duplicate' });
  });

  it('tries another mapping than that of the source, for those who may change it', async () => {
    const mapping = { eventType: "type & '.tried'", subject: '/n' };
    const request = { ...signed('{"type":"sale","id":"t-9","n":12345678901234567890}'), mapping };
    const path = `sources/${source.id}/test`;
    const tried = await ask(api.url, 'POST', path, { body: request });
    expect(tried.body).toMatchObject({ events: [{ type: 'sale.tried', subject: '12345678901234567890' }] });
    expect(tried.text).toContain('"n":12345678901234567890');
    expect(await attempt(signed('{"type":"sale","id":"t-9"}'))).toMatchObject({ events: [{ type: 'sale' }] });
    const wrong = await ask(api.url, 'POST', path, { body: { ...request, mapping: { type: '/type' } } });
    expectProblem(wrong, 400, 'invalid-request');
    const { text: token } = await givenOperator(api.pool, { role: 'support' });
    heedAccess(api.app);
    expect((await ask(api.url, 'POST', path, { token, body: signed('{}') })).status).toBe(200);
    expectProblem(await ask(api.url, 'POST', path, { token, body: request }), 403, 'role-insufficient');
  });

  it('says why a request would be refused', async () => {
    expect(await attempt(signed('{}', 'another secret entirely'))).toMatchObject({
      outcome: 'unverified',
      answer: { status: 401 },
      steps: [{ step: 'signature', ok: false, data: { code: 'signature-invalid', signedText: '{}', secretsTried: 1 } }],
    });
    expect(await attempt({ body: '{}' })).toMatchObject({
      steps: [{ data: { code: 'signature-missing', missing: 'header:x-signature' } }],
    });
    expect(await attempt(signed('{"type":"sale"}'))).toMatchObject({
      outcome: 'rejected',
      steps: [{}, {}, {}, { step: 'mapping', ok: false, data: { pointer: '/subject' } }],
    });
    expect(await attempt(signed('{"type":"dull","id":"t-2"}'))).toMatchObject({ outcome: 'filtered', events: [] });
    const both = await ask(api.url, 'POST', `sources/${source.id}/test`, { body: { body: '', bodyBase64: '' } });
    expectProblem(both, 400, 'invalid-request');
  });
});
