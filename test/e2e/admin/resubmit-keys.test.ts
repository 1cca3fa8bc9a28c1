import type { OutgoingHttpHeaders } from 'node:http';
import { createdSource } from '../../support/admin-sources';
import { call, postEvent, postStream } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';
import { replaced, resubmit } from '../../support/resubmit';
import { rejectionsOf } from '../../support/rejections';

const OPEN = { verification: { scheme: 'none' }, allowUnverified: true };
const JSON_BODY = { 'content-type': 'application/json' };
const line = (fields: object): string => JSON.stringify({ eventType: 'sale', subject: 's', payload: 1, ...fields });

interface StoredEvent {
  subject: string;
  payload: string;
}

describe('the key of a resubmitted record', () => {
  const api = useApp({ APP_ROLE: 'api' });

  const events = async (tenantId: string): Promise<StoredEvent[]> => {
    const { rows } = await api.pool.query<StoredEvent>(
      'select subject, payload from events where tenant_id = $1 order by id',
      [tenantId],
    );
    return rows;
  };
  const stream = (tenantId: string, body: string, headers: OutgoingHttpHeaders) =>
    call<{ summary: object }>(`${api.url}/v1/ingest/stream`, {
      method: 'POST',
      headers: { 'x-tenant-id': tenantId, ...headers },
      body,
    });

  it('makes one event of a record that was refused each time it was sent', async () => {
    const tenantId = 'twice';
    const refused = line({ subject: '' });
    await postStream(api.url, tenantId, [line({}), refused].join('\n'));
    await postStream(api.url, tenantId, refused);
    const patch = [replaced('/subject', 'mended')];
    expect(await resubmit(api.url, { tenantId, patch })).toMatchObject({ matched: 2, resubmitted: 1, duplicates: 1 });
    expect((await events(tenantId)).map(({ subject }) => subject)).toEqual(['s', 'mended']);
    const [first, second] = await rejectionsOf(api.pool, tenantId);
    expect(second).toMatchObject({ status: 'RESUBMITTED', eventId: first?.eventId });
  });

  it('is that of the first record for a stream whose media type was refused', async () => {
    const tenantId = 'media-type';
    const key = { 'idempotency-key': 'k' };
    await stream(tenantId, line({}), { ...key, 'content-type': 'text/csv' });
    expect(await rejectionsOf(api.pool, tenantId)).toMatchObject([{ code: 'unsupported-media-type' }]);
    expect(await resubmit(api.url, { tenantId })).toMatchObject({ resubmitted: 1 });
    const again = await stream(tenantId, line({}), { ...key, 'content-type': 'application/x-ndjson' });
    expect(again.body.summary).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await events(tenantId)).toHaveLength(1);
  });

  it('replaces the one that a mapping finds if that belongs to another event, also with an empty patch', async () => {
    const tenantId = 'mapped-key';
    const mapping = { eventType: '/type', subject: '/nr', idempotencyKey: '/key' };
    const source = await createdSource(api.url, { tenantId, mapping, ...OPEN });
    for (const nr of ['1', '2']) {
      await call(source.url, { method: 'POST', headers: JSON_BODY, body: JSON.stringify({ type: 't', nr, key: 'k' }) });
    }
    expect(await rejectionsOf(api.pool, tenantId)).toMatchObject([{ code: 'idempotency-key-reused' }]);
    expect(await resubmit(api.url, { tenantId })).toMatchObject({ rejectedByCode: { 'idempotency-key-reused': 1 } });
    expect(await resubmit(api.url, { tenantId, patch: [] })).toMatchObject({ resubmitted: 1 });
    expect((await events(tenantId)).map(({ subject }) => subject)).toEqual(['1', '2']);
  });

  it('does not change the request that the event is kept with: it is the one that was received', async () => {
    const tenantId = 'as-received';
    const source = await createdSource(api.url, { tenantId, mapping: { eventType: '/type', subject: '/id' }, ...OPEN });
    const body = 'type=t&nr=7';
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-signature': 'of the form' };
    await call(source.url, { method: 'POST', headers, body });
    const patch = [{ op: 'move', from: '/nr', path: '/id' }];
    expect(await resubmit(api.url, { tenantId, patch })).toMatchObject({ resubmitted: 1 });
    expect(await events(tenantId)).toEqual([{ subject: '7', payload: '{"type":"t","id":"7"}' }]);
    const { rows } = await api.pool.query<{ request: string; body: Buffer }>(
      `select r.request, r.body from received_requests r join events e on e.request_id = r.id where e.tenant_id = $1`,
      [tenantId],
    );
    expect(rows).toHaveLength(1);
    expect(JSON.parse(rows[0]?.request ?? '')).toMatchObject({ headers });
    expect(rows[0]?.body.toString()).toBe(body);
  });

  it('is the one that the producer sent, unless that belongs to another event', async () => {
    const tenantId = 'kept-key';
    const key = { 'idempotency-key': 'k' };
    await postEvent(api.url, tenantId, line({ subject: '' }), key);
    const patch = [replaced('/subject', 'mended')];
    expect(await resubmit(api.url, { tenantId, patch })).toMatchObject({ resubmitted: 1 });
    const again = await postEvent(api.url, tenantId, line({ subject: 'mended' }), key);
    expect(again.body).toMatchObject({ status: 'duplicate' });
  });
});
