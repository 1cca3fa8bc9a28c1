import { admin, givenCompleted, givenDeadLetters, type AuditPage, type ReplayStarted } from '../../support/admin';
import { startTestApp } from '../../support/app';
import { expectProblem } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useApp } from '../../support/fixtures/app';
import { countRows } from '../../support/rows';

interface Changed {
  actionId: string;
  matched: number;
  retried: number;
  discarded: number;
  skipped: number;
  correlationId: string;
}
interface Action {
  actionId: string;
  action: string;
  status: string;
  matched: number;
  progress: Record<string, number>;
  correlationId: string;
}

describe('actions of operators', () => {
  const api = useApp({ APP_ROLE: 'api' });
  const find = async (id: string) => (await admin<Action>(api.url, `actions/${id}`)).body;
  const keyed = (key: string) => ({ 'idempotency-key': key });

  /** Every update of `table` fails with this SQLSTATE, the first `times` times. */
  async function failing(table: string, code: string, times: number): Promise<() => Promise<unknown>> {
    await api.pool.query(`create sequence failures`);
    await api.pool.query(
      `create function fail_now() returns trigger language plpgsql as $$ begin
         if nextval('failures') <= ${times} then raise exception using errcode = '${code}', message = 'a test'; end if;
         return new;
       end $$`,
    );
    await api.pool.query(
      `create trigger fails before insert or update on ${table} for each row execute function fail_now()`,
    );
    return () => api.pool.query('drop function fail_now cascade; drop sequence failures');
  }

  it.each([
    ['replay', 'event_state', { mode: 'reprocess', status: 'DLQ' }],
    ['dlq/retry', 'event_state', {}],
    ['dlq/discard', 'dead_letters', {}],
  ])('%s is answered 202 when its transaction ran into deadlocks', async (path, table, request) => {
    const tenantId = `deadlocks-${path.replace('/', '-')}`;
    await givenDeadLetters(api.pool, 3, { tenantId });
    const mend = await failing(table, '40P01', 2);
    const answer = await admin<Changed>(api.url, path, { tenantId, ...request });
    await mend();
    expect([answer.status, answer.body]).toMatchObject([202, { matched: 3, skipped: 0 }]);
    expect(await countRows(api.pool, `dead_letters where tenant_id = '${tenantId}' and resolved_at is null`)).toBe(0);
  });

  it('a replay that is recorded is answered 202 with its id, although nothing could be sent, and carried out later', async () => {
    const tenantId = 'recorded';
    await givenCompleted(api.pool, 5, tenantId);
    const mend = await failing('event_state', '57P01', 1_000);
    const answer = await admin<ReplayStarted>(api.url, 'replay', { tenantId, mode: 'reprocess' });
    await mend();
    expect([answer.status, answer.body]).toMatchObject([202, { matched: 5, replayed: 0, skipped: 0 }]);
    const id = answer.body.replayId;
    expect(await find(id)).toMatchObject({ action: 'replay', status: 'RUNNING', progress: { pending: 5 } });
    const backend = await startTestApp(api.databaseUrl, { APP_ROLE: 'publisher,worker' });
    await eventually(async () => expect(await find(id)).toMatchObject({ status: 'DONE', progress: { completed: 5 } }));
    await backend.close();
  });

  it('dlq/retry that fails has changed nothing, however many events it selected', async () => {
    const tenantId = 'all-or-nothing';
    await givenDeadLetters(api.pool, 600, { tenantId });
    await api.pool.query(
      `create function fail_at_end() returns trigger language plpgsql as $$ begin
         if new.counts ? 'retried' then raise exception 'a test'; end if;
         return new;
       end $$;
       create trigger fails before update on admin_audit for each row execute function fail_at_end()`,
    );
    const broken = await admin(api.url, 'dlq/retry', { tenantId });
    await api.pool.query('drop function fail_at_end cascade');
    expectProblem(broken, 500, 'internal-error');
    expect(await countRows(api.pool, `dead_letters where tenant_id = '${tenantId}' and resolved_at is null`)).toBe(600);
    const { body } = await admin<Changed>(api.url, 'dlq/retry', { tenantId });
    expect(body).toMatchObject({ matched: 600, retried: 600, skipped: 0 });
    expect(await find(body.actionId)).toMatchObject({ matched: 600, progress: { retried: 600, skipped: 0 } });
  });

  it.each([
    ['replay', { mode: 'reprocess', status: 'DLQ' }],
    ['dlq/retry', {}],
    ['dlq/discard', { note: 'why' }],
  ])('%s with an Idempotency-Key acts once, and gives the same answer again', async (path, request) => {
    const tenantId = `keyed-${path.replace('/', '-')}`;
    const key = `key of ${path}`.replaceAll(' ', '-');
    await givenDeadLetters(api.pool, 4, { tenantId });
    const asked = { tenantId, ...request };
    const counted = await admin<Changed>(api.url, path, { ...asked, dryRun: true }, keyed(key));
    expect(counted.body).toMatchObject({ matched: 4, actionId: null });
    const first = await admin<Changed>(api.url, path, asked, { ...keyed(key), 'x-correlation-id': `first-${path}` });
    expect([first.status, first.headers['idempotent-replayed']]).toEqual([202, undefined]);
    await givenDeadLetters(api.pool, 2, { tenantId }); // which the repeated request would match too

    const again = await admin<Changed>(
      api.url,
      path,
      { ...request, tenantId, limit: 1000 },
      { 'x-idempotency-key': key },
    );
    expect([again.status, again.headers['idempotent-replayed'], again.body]).toEqual([202, 'true', first.body]);
    const { entries } = (await admin<AuditPage>(api.url, 'audit?limit=50')).body;
    expect(entries.filter(({ correlationId }) => correlationId === `first-${path}`)).toHaveLength(1);
    expect(await countRows(api.pool, `dead_letters where tenant_id = '${tenantId}' and resolved_at is null`)).toBe(2);

    const other = await admin(api.url, path, { ...asked, limit: 1 }, keyed(key));
    expectProblem(other, 422, 'idempotency-key-reused');
  });

  it('outbox/retry takes a key too, which is another key than that of an event', async () => {
    const first = await admin<Changed>(api.url, 'outbox/retry', {}, keyed('outbox'));
    expect(first.status).toBe(202);
    const again = await admin<Changed>(api.url, 'outbox/retry', {}, keyed('outbox'));
    expect([again.headers['idempotent-replayed'], again.body]).toEqual(['true', first.body]);
    expectProblem(await admin(api.url, 'dlq/retry', { all: true }, keyed('outbox')), 422, 'idempotency-key-reused');
    expect(await find(first.body.actionId)).toMatchObject({ action: 'outbox.retry', status: 'DONE' });
  });

  it('refuses a key that cannot be one', async () => {
    const sent = admin(api.url, 'dlq/retry', { tenantId: 'x' }, keyed('with space'));
    expectProblem(await sent, 400, 'idempotency-key-invalid');
    const two = { 'idempotency-key': 'a', 'x-idempotency-key': 'b' };
    expectProblem(await admin(api.url, 'dlq/retry', { tenantId: 'x' }, two), 400, 'idempotency-key-invalid');
  });

  it('can be cancelled: a replay stops what it has not begun, and nothing is left to stop of the others', async () => {
    const tenantId = 'cancelled';
    await givenCompleted(api.pool, 250, tenantId);
    const { body: replay } = await admin<ReplayStarted & Changed>(api.url, 'replay', { tenantId, mode: 'reprocess' });
    expect(replay.actionId).toBe(replay.replayId);
    const cancelled = await admin<Action>(api.url, `actions/${replay.actionId}/cancel`, {});
    expect([cancelled.status, cancelled.body]).toMatchObject([
      202,
      { status: 'CANCELLED', progress: { cancelled: 250 } },
    ]);

    const { body: retry } = await admin<Changed>(api.url, 'dlq/retry', { tenantId });
    const done = await admin<Action>(api.url, `actions/${retry.actionId}/cancel`, {});
    expect([done.status, done.body]).toMatchObject([202, { status: 'DONE', action: 'dlq.retry' }]);
  });

  it.each(['01a20bbe-19c6-756a-9bb1-3e2e8e86f56a', 'x'])('has no action %s', async (id) => {
    expectProblem(await admin(api.url, `actions/${id}`), 404, 'action-not-found');
    expectProblem(await admin(api.url, `actions/${id}/cancel`, {}), 404, 'action-not-found');
  });
});
