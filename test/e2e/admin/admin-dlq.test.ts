import { admin, givenCompleted, givenDeadLetters, type AuditPage } from '../../support/admin';
import { ADMIN_TOKEN, startTestApp } from '../../support/app';
import { useApp } from '../../support/fixtures/app';
import { call, expectProblem, getEvent, usageOf } from '../../support/e2e-http';
import { statusCounts } from '../../support/processes/e2e-cluster';
import { eventually } from '../../support/eventually';
import { attemptRows, countRows, stateRow } from '../../support/rows';

interface Reasons {
  reasons: { reasonCode: string; errorMessage: string; count: number; sampleEventIds: string[] }[];
  total: number;
}
interface Letters {
  deadLetters: { id: string; reasonCode: string; errorMessage: string }[];
  nextCursor: string | null;
}
interface Changed {
  matched: number;
  retried: number;
  discarded: number;
  skipped: number;
}

describe('dead letters', () => {
  const api = useApp({ APP_ROLE: 'api' });
  const list = async (query: string) => (await admin<Letters>(api.url, `dlq?${query}`)).body;
  const reasonsOf = async (tenant: string) => (await admin<Reasons>(api.url, `dlq/reasons?tenantId=${tenant}`)).body;

  it('are grouped by reason and by message, ignoring ids, numbers and hex', async () => {
    const tenantId = 'grouped';
    await givenDeadLetters(api.pool, 3, { tenantId, message: ({ id }) => `answered 503 for ${id} in 12.5 ms` });
    const others = await givenDeadLetters(api.pool, 2, { tenantId, message: () => 'no route to 0xdeadbeef' });
    await givenDeadLetters(api.pool, 1, { tenantId, reasonCode: 'TIMEOUT', message: () => 'no route to 0xbeef' });
    const { reasons, total } = await reasonsOf(tenantId);
    expect(total).toBe(6);
    expect(reasons).toMatchObject([
      { reasonCode: 'HTTP_5XX', errorMessage: 'answered <n> for <id> in <n> ms', count: 3 },
      { reasonCode: 'HTTP_5XX', errorMessage: 'no route to <hex>', count: 2 },
      { reasonCode: 'TIMEOUT', errorMessage: 'no route to <hex>', count: 1 },
    ]);
    expect([...(reasons[1]?.sampleEventIds ?? [])].sort()).toEqual(others.map(({ id }) => id).sort());
  });

  it('are listed newest first, in pages, with any filter', async () => {
    const tenantId = 'listed';
    const events = await givenDeadLetters(api.pool, 5, { tenantId });
    const odd = await givenDeadLetters(api.pool, 2, { tenantId, reasonCode: 'TIMEOUT', type: 'odd.one' });
    const first = await list(`tenantId=${tenantId}&limit=4`);
    const second = await list(`tenantId=${tenantId}&limit=4&cursor=${first.nextCursor}`);
    const listed = [...first.deadLetters, ...second.deadLetters].map(({ id }) => id);
    expect(listed).toEqual([...events, ...odd].map(({ id }) => id).reverse());
    expect(second.nextCursor).toBeNull();
    expect((await list(`tenantId=${tenantId}&reasonCode=TIMEOUT`)).deadLetters).toHaveLength(2);
    expect((await list(`tenantId=${tenantId}&type=odd.one`)).deadLetters).toHaveLength(2);
    expect((await list(`tenantId=${tenantId}&eventIds=${odd[0]?.id}`)).deadLetters).toHaveLength(1);
    expect((await list(`tenantId=${tenantId}&from=2100-01-01T00:00:00Z`)).deadLetters).toHaveLength(0);
  });

  it('I12: are retried by filter, complete once each, and keep their history', async () => {
    const tenantId = 'retried';
    const events = await givenDeadLetters(api.pool, 20, { tenantId });
    const spared = await givenDeadLetters(api.pool, 2, { tenantId, reasonCode: 'TIMEOUT' });
    const filter = { tenantId, reasonCode: 'HTTP_5XX' };
    const counted = await admin<Changed>(api.url, 'dlq/retry', { ...filter, dryRun: true });
    expect([counted.status, counted.body]).toMatchObject([202, { matched: 20, more: false, retried: 0 }]);
    const some = await admin<Changed>(api.url, 'dlq/retry', { ...filter, limit: 19, dryRun: true });
    expect(some.body).toMatchObject({ matched: 19, more: true });
    expect(await statusCounts(api.pool, tenantId)).toEqual({ DLQ: 22 });

    const two = await Promise.all([1, 2].map(() => admin<Changed>(api.url, 'dlq/retry', filter)));
    expect(two.reduce((sum, { body }) => sum + body.retried, 0)).toBe(20);
    expect(await countRows(api.pool, `outbox where destination = 'retry'`)).toBe(20);
    expect(await stateRow(api.pool, events[0]!)).toMatchObject({
      status: 'DISPATCHED',
      generation: 1,
      dispatchNo: 3,
      attempts: 0,
    });

    const backend = await startTestApp(api.databaseUrl, { APP_ROLE: 'publisher,worker' });
    await eventually(async () => expect(await statusCounts(api.pool, tenantId)).toEqual({ COMPLETED: 20, DLQ: 2 }));
    await backend.close();
    expect(await usageOf(api.url, tenantId)).toBe(20);
    expect(await attemptRows(api.pool, events[0]!)).toMatchObject([
      { status: 'DLQ', dispatchNo: 1 },
      { status: 'SUCCESS', dispatchNo: 3, attemptNumber: 1 },
    ]);
    expect((await list(`tenantId=${tenantId}`)).deadLetters.map(({ id }) => id).sort()).toEqual(
      spared.map(({ id }) => id).sort(),
    );
    expect(await countRows(api.pool, `dead_letters where tenant_id = 'retried' and resolution = 'RETRIED'`)).toBe(20);
  });

  it('are discarded with a note and stay readable', async () => {
    const tenantId = 'discarded';
    const [event] = await givenDeadLetters(api.pool, 1, { tenantId });
    const answer = await admin<Changed>(api.url, 'dlq/discard', { tenantId, note: 'a test order' });
    expect([answer.status, answer.body]).toMatchObject([202, { matched: 1, discarded: 1, skipped: 0 }]);
    expect((await getEvent(api.url, tenantId, event!.id)).body.status).toBe('DISCARDED');
    expect((await reasonsOf(tenantId)).total).toBe(0);
    const again = await admin<Changed>(api.url, 'dlq/retry', { tenantId });
    expect(again.body).toMatchObject({ matched: 0, retried: 0 });
  });

  it.each(['retry', 'discard'])(
    'are not changed by a %s without a filter, unless it says "all": true',
    async (what) => {
      const tenantId = `unfiltered-${what}`;
      await givenDeadLetters(api.pool, 2, { tenantId });
      const path = `dlq/${what}`;
      for (const body of [{}, { all: false }, { limit: 5 }, { dryRun: true }, { note: 'no filter' }]) {
        const problem = expectProblem(await admin(api.url, path, body), 400, 'invalid-request');
        expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(['/all']);
      }
      for (const beside of [{ tenantId }, { status: 'DLQ' }, { eventIds: ['x'] }, { from: '2026-01-01T00:00:00Z' }])
        expectProblem(await admin(api.url, path, { all: true, ...beside }), 400, 'invalid-request');
      const bodiless = await call(`${api.url}/v1/admin/${path}`, {
        method: 'POST',
        headers: { 'x-admin-token': ADMIN_TOKEN },
      });
      expectProblem(bodiless, 400, 'invalid-request');
      expect(await statusCounts(api.pool, tenantId)).toEqual({ DLQ: 2 });

      const counted = await admin<Changed>(api.url, path, { all: true, dryRun: true });
      expect(counted.body.matched).toBeGreaterThanOrEqual(2);
      const done = await admin<Changed>(api.url, path, { all: true, note: 'after the outage' });
      expect(done.body).toMatchObject({ matched: counted.body.matched });
      expect(await statusCounts(api.pool, tenantId)).not.toHaveProperty('DLQ');
      const { entries } = (await admin<AuditPage>(api.url, 'audit?limit=1')).body;
      expect(entries).toMatchObject([
        { action: `dlq.${what}`, filter: { all: true, status: 'DLQ' }, note: 'after the outage' },
      ]);
    },
  );

  it('are created again when an event fails after a retry', async () => {
    const tenantId = 'again';
    const [event] = await givenDeadLetters(api.pool, 1, { tenantId });
    await api.pool.query(`update dead_letters set resolved_at = now(), resolution = 'RETRIED' where event_id = $1`, [
      event!.id,
    ]);
    expect((await list(`tenantId=${tenantId}`)).deadLetters).toHaveLength(0);
    // As the worker records it.
    await api.pool.query(`update dead_letters set attempts = 5, last_failed_at = now() where event_id = $1`, [
      event!.id,
    ]);
    expect((await list(`tenantId=${tenantId}`)).deadLetters).toHaveLength(1);
  });

  it('record every change in the audit trail, with filter and correlation id', async () => {
    const tenantId = 'audited';
    await givenDeadLetters(api.pool, 2, { tenantId });
    await givenCompleted(api.pool, 1, tenantId);
    await admin(api.url, 'dlq/discard', { tenantId, note: 'why not' }, { 'x-correlation-id': 'night-shift' });
    const { entries } = (await admin<AuditPage>(api.url, 'audit?limit=1')).body;
    expect(entries).toMatchObject([
      {
        actor: 'admin',
        action: 'dlq.discard',
        filter: { tenantId, status: 'DLQ' },
        counts: { matched: 2, discarded: 2, skipped: 0 },
        note: 'why not',
        correlationId: 'night-shift',
      },
    ]);
  });

  it.each<[string, object, string]>([
    ['an unknown field', { tenant: 'acme' }, '/tenant'],
    ['another status', { status: 'COMPLETED' }, '/status'],
    ['a null status', { status: null }, '/status'],
    ['a type with half of a surrogate pair', { type: '\ud800' }, '/type'],
    ['an eventId with half of a surrogate pair', { eventIds: ['a', '\udc00'] }, '/eventIds'],
    ['a limit beyond the setting', { all: true, limit: 5001 }, '/limit'],
    ['a time that does not exist', { from: '2026-02-30T00:00:00Z' }, '/from'],
    ['a NUL in a type', { type: 'a\0b' }, '/type'],
    ['ids that are no list', { eventIds: { a: 1 } }, '/eventIds'],
  ])('refuse %s and point at it', async (_what, body, pointer) => {
    const problem = expectProblem(await admin(api.url, 'dlq/retry', body), 400, 'invalid-request');
    expect(problem.errors?.[0]?.pointer).toBe(pointer);
  });

  it('list nothing for a range that ends before it starts, and say so', async () => {
    for (const path of ['dlq', 'dlq/reasons', 'events']) {
      const range = (from: string, to: string) => admin(api.url, `${path}?from=${from}&to=${to}`);
      const problem = expectProblem(
        await range('2026-03-02T00:00:00Z', '2026-03-01T00:00:00Z'),
        400,
        'invalid-request',
      );
      expect(problem.errors?.[0]?.pointer).toBe('/from');
      expect((await range('2026-03-02T00:00:00Z', '2026-03-02T01:00:00%2B01:00')).status).toBe(200);
    }
    const range = { tenantId: 'any', from: '2026-03-02T00:00:00Z', to: '2026-03-01T00:00:00Z' };
    for (const path of ['dlq/retry', 'dlq/discard', 'replay'])
      expectProblem(
        await admin(api.url, path, { ...range, ...(path === 'replay' && { mode: 'republish' }) }),
        400,
        'invalid-request',
      );
  });

  it.each(['x', 'AAAA', 'bm90IGEgY3Vyc29yIG9mIG91cnM'])('refuse the cursor %j', async (cursor) => {
    expectProblem(await admin(api.url, `dlq?cursor=${cursor}`), 400, 'invalid-request');
  });
});
