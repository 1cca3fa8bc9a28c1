import { crc32 } from 'node:zlib';
import type { OutgoingHttpHeaders } from 'node:http';
import { mintCredential } from '../../../src/access/identity/credential';
import { ask, createdKey, createdOperator, expectStatus } from '../../support/access/access-admin';
import { ADMIN_TOKEN } from '../../support/app';
import { givenKey } from '../../support/credentials';
import { call, expectProblem, type Answer } from '../../support/e2e-http';
import { eventBody } from '../../support/events';
import { useApp } from '../../support/fixtures/app';

describe('the check of an API key', () => {
  const api = useApp({ APP_ROLE: 'api' });
  const bearer = (text: string): OutgoingHttpHeaders => ({ authorization: `Bearer ${text}` });
  const post = (headers: OutgoingHttpHeaders) =>
    call<{ tenantId: string; id: string }>(`${api.url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(eventBody()),
    });
  const read = (id: string, headers: OutgoingHttpHeaders) => call(`${api.url}/v1/events/${id}`, { headers });
  const whoami = (headers: OutgoingHttpHeaders) => call<object>(`${api.url}/v1/whoami`, { headers });

  it('gives the tenant of the key to the event', async () => {
    const { key } = await createdKey(api.url, 'acme');
    const stored = await expectStatus(202, post(bearer(key)));
    expect(stored.tenantId).toBe('acme');
    expect((await read(stored.id, bearer(key))).status).toBe(200);
    const { key: others } = await createdKey(api.url, 'other');
    const foreign = await read(stored.id, bearer(others));
    expectProblem(foreign, 404, 'event-not-found');
    const unknown = await read('01a20bbe-19c6-756a-9bb1-3e2e8e86f56a', bearer(others));
    expect(withoutCorrelation(foreign)).toBe(withoutCorrelation(unknown));
  });

  it('needs the scope of what is asked', async () => {
    const sender = (await createdKey(api.url, 'scopes', { scopes: ['ingest'] })).key;
    const reader = (await createdKey(api.url, 'scopes', { scopes: ['read'] })).key;
    const { id } = await expectStatus(202, post(bearer(sender)));
    expectProblem(await read(id, bearer(sender)), 403, 'scope-missing');
    expectProblem(await post(bearer(reader)), 403, 'scope-missing');
    expect((await read(id, bearer(reader))).status).toBe(200);
  });

  it('says that a key has expired to whoever has its secret, and to nobody else', async () => {
    const { id, text } = await givenKey(api.pool, { tenantId: 'past', expiresAt: new Date(Date.now() - 1_000) });
    await createdKey(api.url, 'past'); // until the process has read both
    const refused = await post(bearer(text));
    expectProblem(refused, 401, 'api-key-expired');
    expect(refused.headers['www-authenticate']).toBe('Bearer');
    expectProblem(await post(bearer(withIdOf(id))), 401, 'api-key-invalid');
  });

  it('ends with its time, without any change', async () => {
    const endMs = Date.now() + 6_000; // time for a busy machine to create it and to use it once
    const { key } = await createdKey(api.url, 'brief', { expiresAt: new Date(endMs).toISOString() });
    expect((await post(bearer(key))).status).toBe(202);
    await new Promise((resolve) => setTimeout(resolve, endMs + 100 - Date.now()));
    expectProblem(await post(bearer(key)), 401, 'api-key-expired');
  });

  it('refuses addresses outside the networks of the key', async () => {
    const inside = (await createdKey(api.url, 'networks', { allow: ['10.0.0.0/8', '127.0.0.1/32'] })).key;
    const outside = (await createdKey(api.url, 'networks', { allow: ['10.0.0.0/8', 'fd00::/8'] })).key;
    expect((await post(bearer(inside))).status).toBe(202);
    const refused = await post(bearer(outside));
    expectProblem(refused, 403, 'address-not-allowed');
  });

  it('gives unknown, revoked and mistyped keys the same bytes', async () => {
    const revoked = await createdKey(api.url, 'bytes');
    await ask(api.url, 'DELETE', `tenants/bytes/keys/${revoked.id}`);
    const live = await createdKey(api.url, 'bytes');
    const wrong = [
      revoked.key,
      mintCredential('sfk').text,
      withIdOf(live.id),
      `${live.key.slice(0, -1)}${live.key.endsWith('0') ? '1' : '0'}`,
      'sfk_',
      'sfk_garbage',
      mintCredential('sfa').text,
    ];
    const answers = await Promise.all(wrong.map((text) => post(bearer(text))));
    expectProblem(answers[0] as Answer<unknown>, 401, 'api-key-invalid');
    expect(new Set(answers.map(withoutCorrelation)).size).toBe(1);
    const headers = answers.map(({ headers: all }) => ({ ...all, 'x-correlation-id': '', date: '' }));
    for (const one of headers) expect(one).toEqual(headers[0]);
  });

  it('refuses all keys of a suspended tenant to send, and lets them read', async () => {
    const { key } = await createdKey(api.url, 'paused');
    const { id } = await expectStatus(202, post(bearer(key)));
    await ask(api.url, 'POST', 'tenants', { body: { id: 'paused', name: 'Paused', status: 'suspended' } });
    expectProblem(await post(bearer(key)), 403, 'tenant-suspended');
    expectProblem(await post({ 'x-tenant-id': 'paused' }), 403, 'tenant-suspended');
    expect((await read(id, bearer(key))).status).toBe(200);
    expect((await whoami(bearer(key))).status).toBe(200);
  });

  it('whoami tells every kind of caller who it is', async () => {
    const { id, key } = await createdKey(api.url, 'who', { name: 'till 17', scopes: ['read'] });
    const operator = await createdOperator(api.url, { name: 'ada', role: 'support', tenantIds: ['who'] });
    const nobody = { id: null, name: null, tenantId: null, scopes: null, role: null, tenantIds: null };
    const ofKey = { ...nobody, kind: 'key', id, name: 'till 17', tenantId: 'who', scopes: ['read'] };
    const ofOperator = {
      ...nobody,
      kind: 'operator',
      id: operator.id,
      name: 'ada',
      role: 'support',
      tenantIds: ['who'],
    };
    const asked: [OutgoingHttpHeaders, object][] = [
      [bearer(key), ofKey],
      [{ 'x-api-key': key }, ofKey],
      [{ 'x-tenant-id': 'who' }, { ...nobody, kind: 'header', tenantId: 'who' }],
      [bearer(operator.token), ofOperator],
      [{ 'x-admin-token': operator.token }, ofOperator],
      [{ 'x-admin-token': ADMIN_TOKEN }, { ...nobody, kind: 'operator', name: 'admin', role: 'owner' }],
    ];
    for (const [headers, expected] of asked) expect((await whoami(headers)).body).toEqual(expected);
    expectProblem(await whoami({}), 400, 'tenant-required');
    expectProblem(await whoami(bearer(ADMIN_TOKEN)), 400, 'tenant-required');
    expectProblem(await whoami({ 'x-admin-token': 'wrong' }), 401, 'admin-token-invalid');
    expectProblem(await whoami({ 'x-admin-token': key }), 401, 'admin-token-invalid');
  });
});

/** A well-formed key with this id and a secret of its own. */
function withIdOf(id: string): string {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  const body = `sfk_${id}_${'a'.repeat(43)}`;
  let checksum = '';
  for (let rest = crc32(body); checksum.length < 6; rest = Math.floor(rest / 62)) {
    checksum = digits.charAt(rest % 62) + checksum;
  }
  return body + checksum;
}

function withoutCorrelation({ text, body }: Answer<unknown>): string {
  return text.replaceAll((body as { correlationId: string }).correlationId, '');
}
