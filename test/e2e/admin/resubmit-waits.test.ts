import type { PoolClient } from 'pg';
import { AdminTransactions } from '../../../src/admin/endpoint/admin-transactions';
import { ADMIN_TOKEN } from '../../support/app';
import { ask, expectStatus } from '../../support/access/access-admin';
import { createdSource } from '../../support/admin-sources';
import { call, expectProblem, postStream, type Answer } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useApp } from '../../support/fixtures/app';
import { losingCommits } from '../../support/losing-commits';
import { replaced, resubmit, type Resubmitted } from '../../support/resubmit';
import { rejectionsOf } from '../../support/rejections';
import { countRows } from '../../support/rows';
import { givenTenant } from '../../support/tenants';

const line = (i: number): string => JSON.stringify({ eventType: 'sale', subject: '', payload: i });
const lines = (count: number): string => Array.from({ length: count }, (_, i) => line(i)).join('\n');
const patch = [replaced('/subject', 'mended')];
const eventsOf = (tenantId: string): string => `events where tenant_id = '${tenantId}'`;

interface Action {
  status: string;
  matched: number;
  progress: Record<string, number>;
}

describe('a resubmission that does not get on', () => {
  const api = useApp({ APP_ROLE: 'api' });
  let locker: PoolClient | undefined;
  const lock = async (table: string): Promise<void> => {
    locker = await api.pool.connect();
    await locker.query(`begin; lock table ${table} in share row exclusive mode`);
  };
  const unlock = async (): Promise<void> => {
    await locker?.query('commit');
    locker?.release();
    locker = undefined;
  };
  afterEach(unlock);

  const keyed = (body: object, key: string): Promise<Answer<Resubmitted>> =>
    call<Resubmitted>(`${api.url}/v1/admin/rejections/resubmit`, {
      method: 'POST',
      headers: { 'x-admin-token': ADMIN_TOKEN, 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
    });
  const actionOf = (id: string | null): Promise<Action> =>
    expectStatus(200, ask<Action>(api.url, 'GET', `actions/${id}`));

  it('gives up after 8 seconds, and makes one event of each record although its events are stored later', async () => {
    const tenantId = 'stalled';
    await postStream(api.url, tenantId, lines(20));
    await lock('idempotency_keys');
    const startedMs = Date.now();
    const stalled = await resubmit(api.url, { tenantId, patch });
    expect(Date.now() - startedMs).toBeLessThan(15_000);
    expect(stalled).toMatchObject({ matched: 20, resubmitted: 0, duplicates: 0, rejected: 0, skipped: 0, pending: 20 });
    expect(await actionOf(stalled.actionId)).toMatchObject({ matched: 20, progress: { resubmitted: 0, pending: 20 } });
    const idle = `pg_stat_activity where datname = current_database() and state = 'idle in transaction'`;
    expect(await countRows(api.pool, idle)).toBe(1); // that of this test: none holds the rejections any more

    const other = resubmit(api.url, { tenantId, patch: [replaced('/subject', 'another')] });
    await unlock();
    expect(await other).toMatchObject({ matched: 20, pending: 0, rejected: 0 });
    await eventually(async () => {
      const { matched } = await resubmit(api.url, { tenantId, patch });
      expect(matched).toBe(0);
    });
    expect(await countRows(api.pool, eventsOf(tenantId))).toBe(20);
    const kept = await rejectionsOf(api.pool, tenantId);
    expect(kept.map(({ status, duplicate }) => [status, duplicate])).toEqual(kept.map(() => ['RESUBMITTED', false]));
  }, 60_000);

  it('answers a request with the same key 409 while it runs, and then with its counts', async () => {
    const tenantId = 'in-flight';
    await postStream(api.url, tenantId, lines(3));
    await lock('rejections');
    const first = keyed({ tenantId, patch }, 'running');
    await eventually(async () => expect(await countRows(api.pool, eventsOf(tenantId))).toBe(3));
    const second = await keyed({ tenantId, patch }, 'running');
    expectProblem(second, 409, 'idempotency-in-flight');
    expect(second.headers['retry-after']).toBe('1');
    const { entries } = await expectStatus(200, ask<{ entries: { id: string }[] }>(api.url, 'GET', 'audit?limit=1'));
    const running = await actionOf(entries[0]?.id as string);
    expect(running).toMatchObject({ status: 'RUNNING', progress: { resubmitted: 0, pending: 3 } });
    await unlock();
    const { body } = await first;
    expect(body).toMatchObject({ matched: 3, resubmitted: 3, pending: 0 });
    expect(await actionOf(body.actionId)).toMatchObject({ status: 'DONE', progress: { resubmitted: 3 } });
    const again = await keyed({ tenantId, patch }, 'running');
    expect([again.status, again.body]).toEqual([202, body]);
  });

  it('answers a request with the same key with what is known, once its process has certainly ended', async () => {
    const tenantId = 'crashed';
    await postStream(api.url, tenantId, lines(3));
    const { body } = await keyed({ tenantId, patch, limit: 1 }, 'crashed');
    const lease = (interval: string) =>
      api.pool.query(`update admin_audit set running_until = now() + $2::interval where id = $1`, [
        body.actionId,
        interval,
      ]);
    await lease('1 minute');
    expectProblem(await keyed({ tenantId, patch, limit: 1 }, 'crashed'), 409, 'idempotency-in-flight');
    await lease('-1 second');
    const again = await keyed({ tenantId, patch, limit: 1 }, 'crashed');
    expect([again.status, again.body]).toEqual([202, body]);
  });

  describe('because it loses its connection at a commit', () => {
    const losing = (when: 'before' | 'after', times: number): (() => void) => {
      const transactions = api.app.get(AdminTransactions);
      const pool: unknown = Reflect.get(transactions, 'pool');
      const lost = losingCommits(api.pool, { when, times, having: 'update rejections' });
      Reflect.set(transactions, 'pool', lost);
      return () => Reflect.set(transactions, 'pool', pool);
    };

    it.each(['before', 'after'] as const)('tells the truth when it was lost %s the commit', async (when) => {
      const tenantId = `lost-${when}`;
      await postStream(api.url, tenantId, lines(150));
      const restore = losing(when, 1);
      const answer = await resubmit(api.url, { tenantId, patch }).finally(restore);
      const counts = { resubmitted: 150, duplicates: 0, rejected: 0, skipped: 0, pending: 0 };
      expect(answer).toMatchObject({ matched: 150, ...counts });
      expect(await actionOf(answer.actionId)).toMatchObject({ matched: 150, progress: counts });
      expect(await countRows(api.pool, eventsOf(tenantId))).toBe(150);
    });

    it('claims nothing when PostgreSQL does not return to tell what it has committed', async () => {
      const tenantId = 'unknown';
      await postStream(api.url, tenantId, lines(5));
      const restore = losing('before', 1_000);
      const answer = await resubmit(api.url, { tenantId, patch }).finally(restore);
      expect(answer).toMatchObject({ matched: 5, resubmitted: 0, duplicates: 0, skipped: 0, pending: 5 });
      expect(await actionOf(answer.actionId)).toMatchObject({ progress: { resubmitted: 0, skipped: 0, pending: 5 } });
      expect(await resubmit(api.url, { tenantId, patch })).toMatchObject({ duplicates: 5, pending: 0 });
    }, 60_000);
  });
});

describe('a resubmission for those who may not send', () => {
  const api = useApp({ APP_ROLE: 'api', MAX_EVENT_BYTES: '2048' });

  it('takes no record of a suspended tenant, and goes on with others', async () => {
    for (const tenantId of ['suspended', 'active']) await postStream(api.url, tenantId, lines(2));
    await givenTenant(api.pool, 'suspended', { status: 'suspended' });
    await eventually(async () => {
      const answer = await resubmit(api.url, { tenantId: 'suspended', patch, dryRun: true });
      expect(answer.rejectedByCode).toEqual({ 'tenant-suspended': 2 });
    });
    const answer = await resubmit(api.url, { all: true, patch });
    expect(answer).toMatchObject({ matched: 4, resubmitted: 2, rejectedByCode: { 'tenant-suspended': 2 } });
    expect(answer.firstRejected[0]?.message).toContain('suspended');
    expect(await countRows(api.pool, eventsOf('suspended'))).toBe(0);
    await givenTenant(api.pool, 'suspended', { status: 'active' });
    await eventually(async () => {
      await resubmit(api.url, { all: true, patch });
      expect(await countRows(api.pool, eventsOf('suspended'))).toBe(2);
    });
  });

  it('takes no record of a paused source, nor of a source whose tenant is suspended', async () => {
    const tenantId = 'shop';
    const mapping = { eventType: '/type', subject: '/id' };
    const open = { verification: { scheme: 'none' }, allowUnverified: true };
    const source = await createdSource(api.url, { tenantId, mapping, ...open });
    const headers = { 'content-type': 'application/json' };
    await call(source.url, { method: 'POST', headers, body: '{"type":"sale"}' });
    const set = (status: string) =>
      expectStatus(200, ask(api.url, 'PATCH', `sources/${source.id}`, { body: { status } }));
    const mend = [{ op: 'add', path: '/id', value: '1' }];
    const refused = { matched: 1, resubmitted: 0, rejectedByCode: { 'source-unavailable': 1 } };
    await set('paused');
    expect(await resubmit(api.url, { tenantId, patch: mend })).toMatchObject(refused);
    await set('active');
    await givenTenant(api.pool, tenantId, { status: 'suspended' });
    await eventually(async () => {
      expect(await resubmit(api.url, { tenantId, patch: mend, dryRun: true })).toMatchObject(refused);
    });
    expect(await resubmit(api.url, { tenantId, patch: mend })).toMatchObject(refused);
    await givenTenant(api.pool, tenantId, { status: 'active' });
    await eventually(async () => {
      expect(await resubmit(api.url, { tenantId, patch: mend })).toMatchObject({ resubmitted: 1 });
    });
  });

  it('still shows the difference to the stored event while the tenant is suspended', async () => {
    const tenantId = 'conflict';
    const send = (payload: number) =>
      postStream(api.url, tenantId, JSON.stringify({ eventType: 't', eventId: 'e', subject: 's', payload }));
    await send(1);
    await send(2);
    await givenTenant(api.pool, tenantId, { status: 'suspended' });
    const [kept] = await rejectionsOf(api.pool, tenantId);
    await eventually(async () => {
      const answer = await resubmit(api.url, { tenantId, dryRun: true });
      expect(answer.rejectedByCode).toEqual({ 'tenant-suspended': 1 });
    });
    const shown = await expectStatus(200, ask<{ diff: object[] }>(api.url, 'GET', `rejections/${kept?.id}`));
    expect(shown.diff).toEqual([{ op: 'replace', path: '/payload', value: 2 }]);
  });

  it('applies a patch to a request of a source that is larger than an event may be', async () => {
    const tenantId = 'large';
    const mapping = { records: '/list', eventType: '/type', subject: '/id' };
    const open = { verification: { scheme: 'none' }, allowUnverified: true };
    const source = await createdSource(api.url, { tenantId, mapping, ...open });
    const all = Array.from({ length: 10 }, (_, i) => ({ type: 'sale', id: `order-${i}`, text: 'x'.repeat(500) }));
    const headers = { 'content-type': 'application/json' };
    await call(source.url, { method: 'POST', headers, body: JSON.stringify({ all }) });
    const move = [{ op: 'move', from: '/all', path: '/list' }];
    expect(await resubmit(api.url, { tenantId, patch: move })).toMatchObject({ resubmitted: 1, rejectedByCode: {} });
    expect(await countRows(api.pool, eventsOf(tenantId))).toBe(10);
  });
});
