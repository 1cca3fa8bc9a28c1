import { createHmac } from 'node:crypto';
import { ask, createdOperator, expectStatus } from '../../support/access/access-admin';
import { createdSource, CUSTOM, type SourceBody } from '../../support/admin-sources';
import { useApp } from '../../support/fixtures/app';
import { call, expectProblem } from '../../support/e2e-http';

const UNKNOWN = '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a';
const SECRET = 'a secret of sixteen or more';
const OTHER = 'another secret, quite as long';

describe('/v1/admin/sources', () => {
  const api = useApp({ APP_ROLE: 'api' });

  const send = (url: string, secret: string, id = 'e-1') => {
    const body = JSON.stringify({ type: 'sale', id });
    const signature = createHmac('sha256', secret).update(body).digest('hex');
    return call<{ code?: string; id?: string }>(url, { method: 'POST', headers: { 'x-signature': signature }, body });
  };
  const read = (id: string) => ask<SourceBody>(api.url, 'GET', `sources/${id}`);
  const change = (id: string, body: object) => ask<SourceBody>(api.url, 'PATCH', `sources/${id}`, { body });
  const auditText = async (): Promise<string> =>
    (await api.pool.query<{ text: string }>(`select jsonb_agg(a)::text as text from admin_audit a`)).rows[0]?.text ??
    '';

  it('creates a source whose URL takes requests, and shows the URL once', async () => {
    const created = await createdSource(api.url, { secrets: [SECRET], uid: 'till-1' });
    const { url, ...rest } = created;
    expect(url).toMatch(new RegExp(`^${api.url}/in/[A-Za-z0-9_-]{43}$`));
    expect(rest).toMatchObject({ ...CUSTOM, tenantId: 'demo', uid: 'till-1', status: 'active', needsSecret: false });
    expect(rest.urlHint).toBe(`${api.url}/in/…${url.slice(-4)}`);
    expect(rest.secretHints).toEqual([`…${SECRET.slice(-4)}`]);
    expect((await send(url, SECRET)).status).toBe(200);
    const shown = await read(created.id);
    expect(shown.body).toEqual(rest);
    const list = await ask<{ sources: SourceBody[]; nextCursor: string | null }>(
      api.url,
      'GET',
      'sources?tenantId=demo',
    );
    expect(list.body.sources).toContainEqual(rest);
    const token = url.slice(-43);
    for (const text of [shown.text, list.text, await auditText()]) {
      expect(text).not.toContain(token);
      expect(text).not.toContain(SECRET);
    }
    const { rows } = await api.pool.query<{ text: string }>('select sources::text as text from sources');
    expect(JSON.stringify(rows)).not.toContain(token);
    expect(JSON.stringify(rows)).not.toContain(Buffer.from(SECRET).toString('hex'));
  });

  it('lists in pages, newest first', async () => {
    const first = await createdSource(api.url, { tenantId: 'pages' });
    const second = await createdSource(api.url, { tenantId: 'pages' });
    interface Page {
      sources: SourceBody[];
      nextCursor: string | null;
    }
    const one = await ask<Page>(api.url, 'GET', 'sources?tenantId=pages&limit=1');
    expect(one.body.sources.map(({ id }) => id)).toEqual([second.id]);
    const two = await ask<Page>(api.url, 'GET', `sources?tenantId=pages&limit=2&cursor=${one.body.nextCursor}`);
    expect(two.body).toMatchObject({ sources: [{ id: first.id }], nextCursor: null });
  });

  it('takes a secret after the URL is known, and answers 503 until then', async () => {
    const { id, url, needsSecret } = await createdSource(api.url);
    expect(needsSecret).toBe(true);
    expectProblem(await send(url, SECRET), 503, 'source-unavailable');
    const changed = await expectStatus(200, change(id, { secrets: [SECRET, OTHER] }));
    expect(changed).toMatchObject({ needsSecret: false, secretHints: [`…${SECRET.slice(-4)}`, `…${OTHER.slice(-4)}`] });
    expect((await send(url, OTHER)).status).toBe(200);
    expect(await auditText()).not.toContain(SECRET);
  });

  it('changes the given fields only, for every process at once', async () => {
    const { id, url } = await createdSource(api.url, { secrets: [SECRET], expectEverySeconds: 60 });
    await expectStatus(200, change(id, { status: 'paused', name: 'till 2' }));
    expectProblem(await send(url, SECRET), 503, 'source-unavailable');
    const { body } = await change(id, { status: 'active', expectEverySeconds: null });
    expect(body).toMatchObject({ name: 'till 2', mapping: CUSTOM.mapping, expectEverySeconds: null, status: 'active' });
    expect((await send(url, SECRET)).status).toBe(200);
    await expectStatus(200, change(id, { mapping: { eventType: '"constant"', subject: '/id' } }));
    expect((await send(url, SECRET, 'e-9')).status).toBe(200);
  });

  it('keeps both of two changes that are made at the same time', async () => {
    const { id } = await createdSource(api.url, { secrets: [SECRET] });
    await Promise.all([change(id, { name: 'one' }), change(id, { expectEverySeconds: 600 })]);
    expect((await read(id)).body).toMatchObject({ name: 'one', expectEverySeconds: 600 });
  });

  it('rotates the URL: the old one works for the overlap, or ends at once', async () => {
    const { id, url } = await createdSource(api.url, { secrets: [SECRET] });
    const first = await expectStatus(200, ask<SourceBody>(api.url, 'POST', `sources/${id}/rotate-token`));
    expect(first.url).not.toBe(url);
    expect(Date.parse(String(first.previousUrlUntil))).toBeGreaterThan(Date.now() + 86_000_000);
    for (const one of [url, first.url]) expect((await send(one, SECRET)).status).toBe(200);
    const rotation = ask<SourceBody>(api.url, 'POST', `sources/${id}/rotate-token`, { body: { overlapSeconds: 0 } });
    const second = await expectStatus(200, rotation);
    for (const one of [url, first.url]) expectProblem(await send(one, SECRET), 404, 'source-not-found');
    expect((await send(second.url, SECRET)).status).toBe(200);
    expect(second.previousUrlUntil).toBeNull();
    expect(await auditText()).not.toContain(second.url.slice(-43));
  });

  it('rotates the secret: the old one counts for the overlap, or ends at once', async () => {
    const { id, url } = await createdSource(api.url, { secrets: [SECRET] });
    const rotate = (body: object) => ask<SourceBody>(api.url, 'POST', `sources/${id}/rotate-secret`, { body });
    const rotated = await expectStatus(200, rotate({ secret: OTHER }));
    expect(rotated.secretHints).toEqual([`…${OTHER.slice(-4)}`, `…${SECRET.slice(-4)}`]);
    expect(rotated.secondSecretUntil).not.toBeNull();
    for (const secret of [SECRET, OTHER]) expect((await send(url, secret)).status).toBe(200);
    const third = await expectStatus(200, rotate({ secret: 'the third secret of it', overlapSeconds: 0 }));
    expect(third.secretHints).toHaveLength(1);
    for (const secret of [SECRET, OTHER]) expectProblem(await send(url, secret), 401, 'signature-invalid');
    expect(await auditText()).not.toContain('the third secret');
  });

  it('keeps the URL that the producer uses when the response with a newer one was lost', async () => {
    const { id, url } = await createdSource(api.url, { secrets: [SECRET] });
    const rotate = (body: object) =>
      expectStatus(200, ask<SourceBody>(api.url, 'POST', `sources/${id}/rotate-token`, { body }));
    const lost = await rotate({ keepPrevious: true }); // without effect: there is none to keep
    const again = await rotate({ overlapSeconds: 60, keepPrevious: true });
    expect(again.previousUrlUntil).toBe(lost.previousUrlUntil);
    for (const one of [url, again.url]) expect((await send(one, SECRET)).status).toBe(200);
    expectProblem(await send(lost.url, SECRET), 404, 'source-not-found');
    await api.pool.query(`update sources set previous_token_until = now() - interval '1 s' where id = $1`, [id]);
    const last = await rotate({ keepPrevious: true });
    for (const one of [again.url, last.url]) expect((await send(one, SECRET)).status).toBe(200);
    expectProblem(await send(url, SECRET), 404, 'source-not-found');
  });

  it('keeps the secret before the newest when the request with the newest is repeated', async () => {
    const { id, url } = await createdSource(api.url, { secrets: [SECRET] });
    const rotate = (body: object) =>
      expectStatus(200, ask<SourceBody>(api.url, 'POST', `sources/${id}/rotate-secret`, { body }));
    const rotated = await rotate({ secret: OTHER });
    const repeated = await rotate({ secret: OTHER });
    expect([repeated.secretHints, repeated.secondSecretUntil]).toEqual([
      rotated.secretHints,
      rotated.secondSecretUntil,
    ]);
    for (const secret of [SECRET, OTHER]) expect((await send(url, secret)).status).toBe(200);
    expect((await rotate({ secret: OTHER, overlapSeconds: 0 })).secretHints).toHaveLength(1);
    expectProblem(await send(url, SECRET), 401, 'signature-invalid');
    expect((await send(url, OTHER)).status).toBe(200);
  });

  it('puts a source by its uid: creates it with a URL, then replaces its fields and keeps its secrets', async () => {
    const put = (body: object, uid = 'put-1') =>
      ask<SourceBody>(api.url, 'PUT', `sources/uid/${uid}`, { body: { tenantId: 'demo', ...CUSTOM, ...body } });
    const created = await expectStatus(201, put({ secrets: [SECRET], expectEverySeconds: 60 }));
    expect((await send(created.url, SECRET)).status).toBe(200);
    const { url: _url, ...rest } = created;
    const replaced = await put({ name: 'renamed' });
    expect(replaced.status).toBe(200);
    expect(replaced.body).toMatchObject({ id: rest.id, name: 'renamed', expectEverySeconds: null });
    expect(replaced.body.secretHints).toEqual(rest.secretHints);
    expect(replaced.text).not.toContain(created.url.slice(-43));
    expect((await send(created.url, SECRET)).status).toBe(200);
    expect((await put({ tenantId: 'other' })).status).toBe(201);
    const racing = await Promise.all([1, 2, 3].map(() => put({}, 'put-2')));
    expect(racing.map(({ status }) => status).toSorted()).toEqual([200, 200, 201]);
    expectProblem(
      await ask(api.url, 'POST', 'sources', { body: { tenantId: 'demo', ...CUSTOM, uid: 'put-1' } }),
      409,
      'already-exists',
    );
  });

  it('deletes a source', async () => {
    const { id, url } = await createdSource(api.url, { secrets: [SECRET] });
    expect((await ask(api.url, 'DELETE', `sources/${id}`)).status).toBe(204);
    expectProblem(await send(url, SECRET), 404, 'source-not-found');
    expectProblem(await read(id), 404, 'source-not-found');
    expectProblem(await change(id, { name: 'x' }), 404, 'source-not-found');
    for (const path of ['rotate-token', 'rotate-secret', 'requests']) {
      const method = path === 'requests' ? 'GET' : 'POST';
      const body = path === 'rotate-secret' ? { secret: SECRET } : undefined;
      expectProblem(await ask(api.url, method, `sources/${UNKNOWN}/${path}`, { body }), 404, 'source-not-found');
    }
  });

  it('deletes the samples of a source with it, and writes none afterwards', async () => {
    const { id, url } = await createdSource(api.url, { secrets: [SECRET] });
    const other = await createdSource(api.url, { secrets: [SECRET] });
    await send(url, SECRET);
    expect((await ask(api.url, 'GET', `sources/${id}/requests`)).text).toContain('accepted');
    await send(url, SECRET);
    expect((await ask(api.url, 'DELETE', `sources/${id}`)).status).toBe(204);
    await ask(api.url, 'GET', `sources/${other.id}/requests`); // writes what waits
    expect((await api.pool.query('select from source_samples where source_id = $1', [id])).rows).toEqual([]);
  });

  it('shows the last requests of a source, and why each was taken or refused', async () => {
    const { id, url } = await createdSource(api.url, { secrets: [SECRET] });
    const accepted = await send(url, SECRET);
    await send(url, OTHER);
    const { body, text } = await ask<{ requests: Record<string, unknown>[] }>(api.url, 'GET', `sources/${id}/requests`);
    expect(body).toHaveProperty('nextCursor', null);
    expect(body.requests).toMatchObject([
      { result: 'unverified', status: 401, code: 'signature-invalid', facts: { secretsTried: 1 } },
      { result: 'accepted', status: 200, code: null, eventIds: [accepted.body.id], keyHint: `…${SECRET.slice(-4)}` },
    ]);
    expect(text).not.toContain(url.slice(-43));
    const viewer = await createdOperator(api.url, { role: 'viewer' });
    const refused = await ask(api.url, 'GET', `sources/${id}/requests`, { token: viewer.token });
    expectProblem(refused, 403, 'role-insufficient');
  });

  it('lists the presets, and custom', async () => {
    const { body } = await ask<{ sourceProviders: { id: string; verification: object | null }[] }>(
      api.url,
      'GET',
      'source-providers',
    );
    expect(body).toHaveProperty('nextCursor', null);
    expect(body.sourceProviders).toContainEqual(
      expect.objectContaining({ id: 'stripe', name: 'Stripe', proof: expect.any(String) as string }),
    );
    expect(body.sourceProviders.at(-1)).toMatchObject({ id: 'custom', verification: null });
  });

  it('is limited to the tenants of an operator', async () => {
    const { id } = await createdSource(api.url, { tenantId: 'theirs', uid: 'shared' });
    const { token } = await createdOperator(api.url, { role: 'operator', tenantIds: ['ours'] });
    expectProblem(await ask(api.url, 'GET', `sources/${id}`, { token }), 404, 'source-not-found');
    expectProblem(await ask(api.url, 'DELETE', `sources/${id}`, { token }), 404, 'source-not-found');
    const body = { tenantId: 'theirs', ...CUSTOM };
    for (const [method, path] of [
      ['POST', 'sources'],
      ['PUT', 'sources/uid/shared'],
    ] as const) {
      expectProblem(await ask(api.url, method, path, { token, body }), 404, 'tenant-not-found');
    }
    const list = await ask<{ sources: unknown[] }>(api.url, 'GET', 'sources', { token });
    expect(list.body.sources).toEqual([]);
    const reserved = await ask(api.url, 'POST', 'sources', { body: { ...CUSTOM, tenantId: 'streamforge' } });
    expectProblem(reserved, 403, 'tenant-reserved');
  });

  it('can pause a source whose preset this build does not know, and rotate its secret', async () => {
    const { id } = await createdSource(api.url, { secrets: [SECRET] });
    await api.pool.query(`update sources set provider = 'of-a-later-build' where id = $1`, [id]);
    expect((await change(id, { status: 'paused' })).body).toMatchObject({ status: 'paused' });
    const body = { secret: OTHER };
    expect((await ask(api.url, 'POST', `sources/${id}/rotate-secret`, { body })).status).toBe(200);
    expect((await read(id)).status).toBe(200);
  });
});

describe('with TENANT_AUTH=key, a source', () => {
  const api = useApp({ APP_ROLE: 'api', TENANT_AUTH: 'key' });

  it('needs a tenant that is registered', async () => {
    const body = { tenantId: 'acme', ...CUSTOM };
    expectProblem(await ask(api.url, 'POST', 'sources', { body }), 404, 'tenant-not-found');
    expectProblem(await ask(api.url, 'PUT', 'sources/uid/one', { body }), 404, 'tenant-not-found');
    await expectStatus(201, ask(api.url, 'POST', 'tenants', { body: { id: 'acme', name: 'Acme' } }));
    expect((await ask(api.url, 'POST', 'sources', { body })).status).toBe(201);
  });
});
