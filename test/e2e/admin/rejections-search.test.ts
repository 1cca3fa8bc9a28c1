import { createHmac } from 'node:crypto';
import { ask, createdOperator, expectStatus } from '../../support/access/access-admin';
import { createdSource } from '../../support/admin-sources';
import { call, expectProblem, postEvent, postStream } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';
import { rejectionsOf } from '../../support/rejections';

interface Listed {
  id: string;
  code: string;
  eventType: string | null;
}
interface Page {
  rejections: Listed[];
  nextCursor: string | null;
}
interface Reasons {
  reasons: {
    id: string;
    code: string;
    pointer: string | null;
    sourceId: string | null;
    count: number;
    sampleIds: string[];
  }[];
  total: number;
  capped: boolean;
}

const SECRET = 'a secret of sixteen or more';
const event = (fields: object): string => JSON.stringify({ eventType: 'sale', subject: 's', payload: 1, ...fields });

describe('rejections', () => {
  const api = useApp({ APP_ROLE: 'api' });
  const list = async (query: string) =>
    (await expectStatus(200, ask<Page>(api.url, 'GET', `rejections?${query}`))).rejections;
  const reasons = (query: string) => expectStatus(200, ask<Reasons>(api.url, 'GET', `rejections/reasons?${query}`));
  const read = (id: string) =>
    expectStatus(200, ask<{ diff: object[] | null; diffTruncated: boolean }>(api.url, 'GET', `rejections/${id}`));

  it('are found by type, status, group and ids', async () => {
    const tenantId = 'found';
    const lines = [
      event({ eventType: 'order.paid', subject: '' }),
      event({ eventType: 'order.sent', subject: '' }),
      event({ eventType: 'sale', partitionKey: 7 }),
      '{',
    ];
    await postStream(api.url, tenantId, lines.join('\n'));
    const kept = await rejectionsOf(api.pool, tenantId);
    const [paid = '', sent = '', sale = '', broken = ''] = kept.map(({ id }) => id);
    const ids = async (query: string) => (await list(`tenantId=${tenantId}&${query}`)).map(({ id }) => id);
    expect(await ids('type=order.*')).toEqual([sent, paid]);
    expect(await ids('type=order.paid')).toEqual([paid]);
    expect(await ids('status=OPEN&limit=3')).toEqual([broken, sale, sent]);
    expect(await ids('status=DISCARDED')).toEqual([]);
    expect(await ids(`ids=${paid.toUpperCase()}`)).toEqual([paid]);
    expect(await ids(`ids=${paid}&ids=${broken}`)).toEqual([broken, paid]);
    const groups = await reasons(`tenantId=${tenantId}`);
    expect(groups).toMatchObject({ total: 4, capped: false });
    expect(groups.reasons.map(({ code, pointer, count }) => [code, pointer, count])).toEqual(
      expect.arrayContaining([
        ['invalid-event', '/subject', 2],
        ['invalid-event', '/partitionKey', 1],
        ['malformed-body', null, 1],
      ]),
    );
    expect(groups.reasons[0]).toMatchObject({ count: 2, sampleIds: [sent, paid], sourceId: null });
    expect(groups.reasons[0]).toMatchObject({ lastHour: 2, hourBefore: 0 });
    await api.pool.query(`update rejections set received_at = now() - interval '90 minutes' where id = $1`, [paid]);
    expect((await reasons(`tenantId=${tenantId}`)).reasons[0]).toMatchObject({ lastHour: 1, hourBefore: 1 });
    expect(await ids(`group=${groups.reasons[0]?.id}`)).toEqual([sent, paid]);
    expect((await reasons(`tenantId=${tenantId}&type=sale`)).total).toBe(1);
    expect((await reasons(`tenantId=${tenantId}&limit=1`)).reasons).toHaveLength(1);
    expect(await reasons(`tenantId=${tenantId}&status=RESUBMITTED`)).toEqual({ reasons: [], total: 0, capped: false });
    for (const wrong of ['status=LOST', 'ids=x', 'type=', 'eventIds=x']) {
      expectProblem(await ask(api.url, 'GET', `rejections?${wrong}`), 400, 'invalid-request');
    }
  });

  it('are grouped by place without its numbers, and by source', async () => {
    const tenantId = 'grouped';
    const secrets = [SECRET];
    const sources = [
      await createdSource(api.url, { tenantId, secrets }),
      await createdSource(api.url, { tenantId, secrets }),
    ];
    for (const { url } of [...sources, ...sources]) {
      const body = '{"type":"sale"}';
      const signature = createHmac('sha256', SECRET).update(body).digest('hex');
      await call(url, {
        method: 'POST',
        headers: { 'x-signature': signature, 'content-type': 'application/json' },
        body,
      });
    }
    await postStream(api.url, tenantId, [3, 12].map((n) => `${' '.repeat(n)}{"eventType":"t"x`).join('\n'));
    const found = await reasons(`tenantId=${tenantId}`);
    expect(found.reasons.map(({ code, count }) => `${code} ${count}`).sort()).toEqual([
      'invalid-event 2',
      'invalid-event 2',
      'malformed-body 2',
    ]);
    expect(found.reasons.map(({ sourceId }) => sourceId).sort()).toEqual([...sources.map(({ id }) => id), null].sort());
  });

  it('in conflict are shown with the difference to the stored event, with all digits', async () => {
    const stored = `{"eventType":"sale","subject":"s","eventId":"d-1","payload":{"total":12345678901234567890,"items":["a","b"],"old":1}}`;
    const sent = `{"eventType":"sale","subject":"t","eventId":"d-1","payload":{"total":12345678901234567891,"items":["b"],"new":10.10}}`;
    await postEvent(api.url, 'diff', stored);
    expect((await postEvent(api.url, 'diff', sent)).status).toBe(409);
    const [kept] = await rejectionsOf(api.pool, 'diff');
    const { text, body } = await ask<{ diff: { op: string; path: string }[] }>(
      api.url,
      'GET',
      `rejections/${kept?.id}`,
    );
    expect(body.diff.map(({ op, path }) => [op, path])).toEqual([
      ['replace', '/subject'],
      ['replace', '/partitionKey'],
      ['replace', '/payload/total'],
      ['remove', '/payload/items/0'],
      ['remove', '/payload/old'],
      ['add', '/payload/new'],
    ]);
    expect(text).toContain('"value":12345678901234567891}');
    expect(text).toContain('"value":10.10}');
  });

  it('without a conflict, or whose conflict is gone, have no difference', async () => {
    await postEvent(api.url, 'no-diff', event({ eventId: 'd-2' }), { 'idempotency-key': 'k' });
    expect((await postEvent(api.url, 'no-diff', event({ payload: 2 }), { 'idempotency-key': 'k' })).status).toBe(422);
    await postEvent(api.url, 'no-diff', event({ subject: '' }));
    const [reused, invalid] = await rejectionsOf(api.pool, 'no-diff');
    expect((await read(invalid?.id ?? '')).diff).toBeNull();
    expect((await read(reused?.id ?? '')).diff).toEqual([
      { op: 'remove', path: '/eventId' },
      { op: 'replace', path: '/payload', value: 2 },
    ]);
    await api.pool.query(`delete from events where tenant_id = 'no-diff'`);
    expect(await read(reused?.id ?? '')).toMatchObject({ diff: null, diffTruncated: false });
  });

  it('and their reasons are limited to the tenants of an operator', async () => {
    await postEvent(api.url, 'mine', event({ subject: '' }));
    await postEvent(api.url, 'not-mine', event({ subject: '' }));
    const { token } = await createdOperator(api.url, { role: 'viewer', tenantIds: ['mine', 'mine-too'] });
    const mine = await ask<Reasons>(api.url, 'GET', 'rejections/reasons', { token });
    expect(mine.body.total).toBe(1);
    const other = await ask<Reasons>(api.url, 'GET', 'rejections/reasons?tenantId=not-mine', { token });
    expect(other.body.total).toBe(0);
  });
});
