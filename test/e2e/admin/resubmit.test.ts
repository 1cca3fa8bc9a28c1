import type { OutgoingHttpHeaders } from 'node:http';
import { ask, createdOperator, expectStatus } from '../../support/access/access-admin';
import { createdSource } from '../../support/admin-sources';
import { call, expectProblem, getEvent, postEvent, postStream } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';
import { replaced, resubmit, type Resubmitted } from '../../support/resubmit';
import { rejectionsOf } from '../../support/rejections';
import { countRows } from '../../support/rows';

const OPEN = { verification: { scheme: 'none' }, allowUnverified: true };
const line = (fields: object): string => JSON.stringify({ eventType: 'sale', subject: 's', payload: 1, ...fields });
const NAMES_OF_OBJECTS = '{"__proto__":{"constructor":[{"prototype":1}]},"constructor":{"toString":2}}';

describe('resubmitting rejections', () => {
  const api = useApp({ APP_ROLE: 'api', MAX_EVENT_BYTES: '4096' });

  const post = (tenant: string, path: string, headers: OutgoingHttpHeaders, body: string) =>
    call(`${api.url}${path}`, { method: 'POST', headers: { 'x-tenant-id': tenant, ...headers }, body });
  const events = async (tenant: string) => {
    const { rows } = await api.pool.query<Record<string, unknown>>(
      `select id, event_id, type, subject, payload, extensions, source, source_id from events where tenant_id = $1 order by id`,
      [tenant],
    );
    return rows;
  };

  interface Way {
    path: string;
    headers: OutgoingHttpHeaders;
    body: string;
    patch: object[];
    event: object;
  }
  const json = { 'content-type': 'application/json' };
  const binary = {
    ...{ 'content-type': 'application/json', 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/shop' },
    ...{ 'ce-type': 'sale', 'ce-vendor': 'x' },
  };
  const ofSubject = replaced('/subject', 'mended');
  const WAYS: Record<string, Way> = {
    'a single event': {
      ...{ path: '/v1/events', headers: json, body: ' {"eventType":"sale", "subject":"", "payload":{"n":10.10} }' },
      ...{ patch: [ofSubject], event: { type: 'sale', subject: 'mended', payload: '{"n":10.10}' } },
    },
    'a line': {
      ...{ path: '/v1/ingest/stream', headers: { 'content-type': 'application/x-ndjson' } },
      ...{ body: line({ subject: 1, payload: { n: 1 } }) },
      ...{ patch: [ofSubject], event: { subject: 'mended', payload: '{"n":1}' } },
    },
    'a broken line that is replaced': {
      ...{ path: '/v1/ingest/stream', headers: { 'content-type': 'application/x-ndjson' }, body: '{"eventType":' },
      ...{ patch: [{ op: 'add', path: '', value: { type: 'sale', subject: 'new', payload: null } }] },
      event: { subject: 'new', payload: 'null' },
    },
    'a patch with names that every object has': {
      ...{ path: '/v1/events', headers: json, body: '{"eventType":"sale","subject":"s"}' },
      patch: [{ op: 'add', path: '/payload', value: JSON.parse(NAMES_OF_OBJECTS) as object }],
      event: { payload: NAMES_OF_OBJECTS },
    },
    'an element of an array': {
      ...{ path: '/v1/events', headers: json, body: `[${line({})}, ${line({ typ: 'x' })}]` },
      ...{ patch: [{ op: 'remove', path: '/typ' }, ofSubject], event: { subject: 'mended' } },
    },
    'a CloudEvent': {
      ...{ path: '/v1/events', headers: { 'content-type': 'application/cloudevents+json' } },
      body: '{"specversion":"1.0","id":"7","source":"/shop","type":"sale","time":"never","vendor":"x","data":{"a":1}}',
      patch: [{ op: 'remove', path: '/time' }],
      event: { event_id: '7', source: '/shop', payload: '{"a":1}', extensions: '{"vendor":"x"}' },
    },
    'the data of a CloudEvent in binary mode': {
      ...{ path: '/v1/events', headers: binary, body: '{"a":1' },
      ...{ patch: [replaced('', { a: 2 })], event: { event_id: '1', payload: '{"a":2}' } },
    },
    'an <event>': {
      ...{ path: '/v1/ingest/stream', headers: { 'content-type': 'application/xml' } },
      body: '<events xmlns:p="urn:p"><event type="sale"><subject> </subject><payload><p:n>1</p:n></payload></event></events>',
      ...{ patch: [ofSubject], event: { type: 'sale', subject: 'mended' } },
    },
  };

  it.each(Object.entries(WAYS))('makes an event of %s and a patch, once', async (name, way) => {
    const tenantId = name.replaceAll(/\W+/g, '-');
    await post(tenantId, way.path, way.headers, way.body);
    const before = await countRows(api.pool, `events where tenant_id = '${tenantId}'`);
    const [kept] = await rejectionsOf(api.pool, tenantId);
    const asItIs = await resubmit(api.url, { tenantId });
    expect(asItIs).toMatchObject({ matched: 1, resubmitted: 0, rejected: 1, pending: 0 });
    expect(asItIs.firstRejected).toMatchObject([{ id: kept?.id, code: kept?.code, pointer: kept?.pointer }]);
    expect(asItIs.rejectedByCode).toEqual({ [String(kept?.code)]: 1 });
    const foreseen = await resubmit(api.url, { tenantId, patch: way.patch, dryRun: true });
    expect(foreseen).toMatchObject({ actionId: null, matched: 1, resubmitted: 1, rejected: 0, pending: 0 });
    expect(foreseen.preview).toMatchObject([{ id: kept?.id, event: { type: 'sale' } }]);
    expect(await countRows(api.pool, `events where tenant_id = '${tenantId}'`)).toBe(before);

    expect(await resubmit(api.url, { tenantId, patch: way.patch })).toMatchObject({ resubmitted: 1, rejected: 0 });
    expect(await resubmit(api.url, { tenantId, patch: way.patch })).toMatchObject({ matched: 0, resubmitted: 0 });
    const stored = (await events(tenantId)).at(-1);
    expect(stored).toMatchObject(way.event);
    expect(await rejectionsOf(api.pool, tenantId)).toMatchObject([
      { status: 'RESUBMITTED', eventId: stored?.id, settledAt: expect.any(String) as unknown },
    ]);
    expect(await countRows(api.pool, `events where tenant_id = '${tenantId}'`)).toBe(before + 1);
  });

  it('keeps all digits of a record and of a patch', async () => {
    const tenantId = 'digits';
    await postEvent(api.url, tenantId, '{"eventType":"t","subject":"","payload":{"a":12345678901234567890,"b":1}}');
    const patch =
      '[{"op":"replace","path":"/subject","value":"s"},{"op":"add","path":"/payload/b","value":1.000000000000000000001}]';
    const body = `{"tenantId":"digits","patch":${patch}}`;
    const headers = { 'x-admin-token': 'a-token-for-tests-only-1234', 'content-type': 'application/json' };
    const dry = await call(`${api.url}/v1/admin/rejections/resubmit`, {
      method: 'POST',
      headers,
      body: body.replace('{', '{"dryRun":true,'),
    });
    expect(dry.text).toContain('"payload":{"a":12345678901234567890,"b":1.000000000000000000001}');
    expect((await call(`${api.url}/v1/admin/rejections/resubmit`, { method: 'POST', headers, body })).status).toBe(202);
    expect((await events(tenantId)).map(({ payload }) => payload)).toEqual([
      '{"a":12345678901234567890,"b":1.000000000000000000001}',
    ]);
  });

  it('maps the records of a source as the source is now: a whole request, and one record of many', async () => {
    for (const [tenantId, mapping, sent, count] of [
      ['whole', { eventType: '/type', subject: '/id' }, '{"type":"t","nr":7}', 1],
      [
        'one-of-many',
        { records: '/all', eventType: '/type', subject: '/id' },
        '{"all":[{"type":"t","id":1},{"type":"t","nr":2}]}',
        2,
      ],
      [
        'no-list',
        { records: '/list', eventType: '/type', subject: '/nr' },
        '{"all":[{"type":"t","nr":1},{"type":"t","nr":2}]}',
        2,
      ],
    ] as const) {
      const source = await createdSource(api.url, { tenantId, mapping, ...OPEN });
      await call(source.url, { method: 'POST', headers: json, body: sent });
      expect(await resubmit(api.url, { tenantId })).toMatchObject({ rejected: 1 });
      const now = { ...mapping, ...('records' in mapping ? { records: '/all' } : {}), subject: ['/id', '/nr'] };
      await expectStatus(200, ask(api.url, 'PATCH', `sources/${source.id}`, { body: { mapping: now } }));
      expect(await resubmit(api.url, { sourceId: source.id })).toMatchObject({ resubmitted: 1, rejected: 0 });
      const stored = await events(tenantId);
      expect(stored.map((one) => one.source_id)).toEqual(Array(count).fill(source.id));
      const again = await call<{ status: string }>(source.url, { method: 'POST', headers: json, body: sent });
      expect(again.body.status).toBe('duplicate');
    }
  });

  it('patches what a source reads, whatever it was sent as', async () => {
    const tenantId = 'patched-source';
    const source = await createdSource(api.url, { tenantId, mapping: { eventType: '/type', subject: '/id' }, ...OPEN });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    await call(source.url, { method: 'POST', headers: form, body: 'type=t&nr=7' });
    const patch = [{ op: 'move', from: '/nr', path: '/id' }];
    expect(await resubmit(api.url, { tenantId, patch })).toMatchObject({ resubmitted: 1 });
    expect(await events(tenantId)).toMatchObject([{ subject: '7', payload: '{"type":"t","id":"7"}' }]);
  });

  it('says why a record is refused again', async () => {
    const tenantId = 'again';
    const source = await createdSource(api.url, { tenantId, mapping: { eventType: '/type', subject: '/id' }, ...OPEN });
    await call(source.url, { method: 'POST', headers: json, body: '{}' });
    await expectStatus(204, ask(api.url, 'DELETE', `sources/${source.id}`));
    await postStream(api.url, tenantId, [line({ subject: '' }), line({ payload: 'x'.repeat(5_000) })].join('\n'));
    const answer = await resubmit(api.url, { tenantId, patch: [replaced('/subject', '')] });
    expect(answer).toMatchObject({ matched: 3, rejected: 3 });
    expect(answer.rejectedByCode).toEqual({ 'source-not-found': 1, 'invalid-event': 1, 'event-too-large': 1 });
    expect(answer.firstRejected.map(({ message }) => message)).toEqual([
      'The source that received this record does not exist any more.',
      expect.stringContaining('/subject'),
      expect.stringMatching(/^Only the first 4096 of its \d+ bytes are kept\./),
    ]);
    const failing = await resubmit(api.url, {
      tenantId,
      code: 'invalid-event',
      type: 'sale',
      patch: [replaced('/sub', 1)],
    });
    expect(failing.firstRejected).toMatchObject([
      {
        code: 'invalid-request',
        pointer: '/patch/0',
        message: expect.stringContaining('there is no value to replace') as unknown,
      },
    ]);
    const whole = [replaced('', { eventType: 'sale', subject: 'short', payload: 1 })];
    expect(await resubmit(api.url, { tenantId, code: 'event-too-large', patch: whole })).toMatchObject({
      resubmitted: 1,
    });
    expect((await events(tenantId)).map(({ subject }) => subject)).toEqual(['short']);
  });

  it('sends a record whose key belongs to another event with a key of its own, if there is a patch', async () => {
    const tenantId = 'reused';
    const key = { 'idempotency-key': 'k' };
    await postEvent(api.url, tenantId, line({}), key);
    await postEvent(api.url, tenantId, line({ payload: 2 }), key);
    expect(await resubmit(api.url, { tenantId })).toMatchObject({ rejectedByCode: { 'idempotency-key-reused': 1 } });
    expect(await resubmit(api.url, { tenantId, patch: [] })).toMatchObject({ resubmitted: 1 });
    expect((await events(tenantId)).map(({ payload }) => payload)).toEqual(['1', '2']);
  });

  it('counts records with the same key once, also in a dry run', async () => {
    const tenantId = 'twins';
    const twin = line({ eventId: 'one', subject: '' });
    await postStream(api.url, tenantId, [twin, twin, line({ eventId: 'one', subject: '', payload: 2 })].join('\n'));
    const patch = [replaced('/subject', 's')];
    const expected = { matched: 3, resubmitted: 1, duplicates: 1, rejected: 1 };
    const dry = await resubmit(api.url, { tenantId, patch, dryRun: true });
    expect(dry).toMatchObject({ ...expected, rejectedByCode: { 'event-id-conflict': 1 } });
    expect(dry.preview).toHaveLength(3);
    const newest = await resubmit(api.url, { tenantId, patch, limit: 1, dryRun: true });
    expect(newest).toMatchObject({ matched: 1, more: true, preview: [{ event: { payload: 2 } }] });
    expect(await resubmit(api.url, { tenantId, patch })).toMatchObject(expected);
    expect((await events(tenantId)).length).toBe(1);
    const kept = await rejectionsOf(api.pool, tenantId);
    expect(kept.map(({ status }) => status)).toEqual(['RESUBMITTED', 'RESUBMITTED', 'OPEN']);
    expect(kept[0]?.eventId).toBe(kept[1]?.eventId);
  });

  it('is recorded before it is carried out, without the values of the patch, and answers a repeated request', async () => {
    const tenantId = 'recorded';
    await postStream(api.url, tenantId, [line({ subject: '' }), '{'].join('\n'));
    const headers = { 'x-admin-token': 'a-token-for-tests-only-1234', 'idempotency-key': 'once', ...json };
    const send = (patch: object[]) =>
      call<Resubmitted>(`${api.url}/v1/admin/rejections/resubmit`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ tenantId, patch, note: 'mended' }),
      });
    const first = await send([replaced('/subject', 'a secret')]);
    expect(first.body).toMatchObject({ matched: 2, resubmitted: 1, rejected: 1 });
    const again = await send([replaced('/subject', 'a secret')]);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.body).toEqual({ ...first.body, firstRejected: [] });
    expectProblem(await send([replaced('/subject', 'another')]), 422, 'idempotency-key-reused');
    const action = await expectStatus(200, ask<object>(api.url, 'GET', `actions/${first.body.actionId}`));
    expect(action).toMatchObject({
      action: 'rejections.resubmit',
      note: 'mended',
      filter: { tenantId, status: 'OPEN', patch: [{ op: 'replace', path: '/subject' }] },
      matched: 2,
      progress: { resubmitted: 1, duplicates: 0, rejected: 1, skipped: 0, pending: 0, 'rejected:invalid-request': 1 },
    });
    expect(JSON.stringify(action)).not.toContain('a secret');
  });

  it('needs a filter or "all", a valid patch, and the role operator for a patch', async () => {
    const tenantId = 'refused';
    await postEvent(api.url, tenantId, line({ subject: '' }));
    const ask4 = (body: object, token?: string) =>
      ask(api.url, 'POST', 'rejections/resubmit', token === undefined ? { body } : { body, token });
    for (const [body, pointer] of [
      [{}, '/all'],
      [{ all: true, tenantId }, '/all'],
      [{ dryRun: true }, '/all'],
      [{ tenantId, patch: {} }, '/patch'],
      [{ tenantId, patch: [{ op: 'add', path: 'subject', value: 1 }] }, '/patch/0/path'],
      [{ tenantId, status: 'RESUBMITTED' }, '/status'],
      [{ tenantId, reasonCode: 'TIMEOUT' }, '/reasonCode'],
      [{ ids: ['x'] }, '/ids'],
      [{ tenantId, limit: 0 }, '/limit'],
    ] as const) {
      const problem = expectProblem(await ask4(body), 400, 'invalid-request');
      expect(problem.errors?.map((error) => error.pointer)).toEqual([pointer]);
    }
    const support = await createdOperator(api.url, { role: 'support', tenantIds: [tenantId] });
    const patch = [replaced('/subject', 's')];
    expectProblem(await ask4({ tenantId, patch, dryRun: true }, support.token), 403, 'role-insufficient');
    expect(await ask4({ tenantId }, support.token)).toMatchObject({ status: 202, body: { matched: 1 } });
    const other = await createdOperator(api.url, { role: 'operator', tenantIds: ['other'] });
    const [kept] = await rejectionsOf(api.pool, tenantId);
    expect(await ask4({ ids: [kept?.id], patch }, other.token)).toMatchObject({ body: { matched: 0 } });
    expect(await resubmit(api.url, { ids: [kept?.id.toUpperCase()], patch })).toMatchObject({ resubmitted: 1 });
    expect((await getEvent(api.url, tenantId, (await events(tenantId))[0]?.id as string)).status).toBe(200);
  });
});

describe('discarding rejections', () => {
  const api = useApp({ APP_ROLE: 'api' });

  it('changes their status alone, and can be taken back', async () => {
    const tenantId = 'discarded';
    await postStream(api.url, tenantId, [1, 2, 3].map(() => line({ subject: '' })).join('\n'));
    const discard = (body: object) =>
      expectStatus(202, ask<object>(api.url, 'POST', 'rejections/discard', { body: { tenantId, ...body } }));
    expect(await discard({ dryRun: true })).toMatchObject({ matched: 3, more: false, discarded: 0, actionId: null });
    expect(await discard({ limit: 2, dryRun: true })).toMatchObject({ matched: 2, more: true });
    expect(await discard({ limit: 2, note: 'test data' })).toMatchObject({ matched: 2, discarded: 2, skipped: 0 });
    const kept = await rejectionsOf(api.pool, tenantId);
    expect(kept.map(({ status }) => status)).toEqual(['OPEN', 'DISCARDED', 'DISCARDED']);
    expect(kept[1]?.body.toString()).toBe(line({ subject: '' }));
    const patch = [replaced('/subject', 's')];
    expect(await resubmit(api.url, { tenantId, patch })).toMatchObject({ matched: 1, resubmitted: 1 });
    expect(await resubmit(api.url, { tenantId, status: 'DISCARDED', limit: 1, patch })).toMatchObject({
      ...{ matched: 1, duplicates: 1 }, // the same record, sent again
    });
    expect(await discard({})).toMatchObject({ matched: 0, discarded: 0 });
    expectProblem(await ask(api.url, 'POST', 'rejections/discard', { body: {} }), 400, 'invalid-request');
  });
});
