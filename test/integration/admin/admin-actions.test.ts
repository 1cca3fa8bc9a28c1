import { Logger } from '@nestjs/common';
import type { Pool, PoolClient } from 'pg';
import { recordEnd, recordProgress } from '../../../src/admin/audit/running-actions.queries';
import { AdminActions } from '../../../src/admin/endpoint/admin-actions';
import { AdminTransactions } from '../../../src/admin/endpoint/admin-transactions';
import type { Db } from '../../../src/db/pool';
import { forgetActionKeys } from '../../../src/db/retention/action-keys.queries';
import { forgetAudit, pastTheTriggers } from '../../support/audit';
import { ACTING_ADMIN } from '../../support/credentials';
import { useDatabase } from '../../support/fixtures/database';
import { losingCommits } from '../../support/losing-commits';
import { countRows } from '../../support/rows';

describe('an admin action', () => {
  const database = useDatabase();
  let runs = 0;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    await database.pool.query('create table notes (text text)');
  });
  beforeEach(async () => {
    runs = 0;
    await database.pool.query('truncate notes');
    await forgetAudit(database.pool);
  });

  const actionsOn = (pool: Pool) => new AdminActions(new AdminTransactions(pool));
  const note = (text: string, { key, fails = [] }: { key?: string; fails?: string[] } = {}) => ({
    action: 'dlq.retry' as const,
    filter: { text },
    acting: ACTING_ADMIN,
    idempotency: { key, asked: { text } },
    work: async (db: Db) => {
      await db.query('insert into notes values ($1)', [text]);
      const code = fails[runs++];
      if (code) throw Object.assign(new Error(code), { code });
      return { counts: { matched: 1, retried: 1 }, result: `run ${runs}` };
    },
  });
  const effects = async () => [await countRows(database.pool, 'notes'), await countRows(database.pool, 'admin_audit')];

  it.each([['40P01'], ['40001'], ['55P03'], ['57P01'], ['ECONNRESET']])('runs again after %s', async (code) => {
    const done = await actionsOn(database.pool).run(note('a', { fails: [code, code] }));
    expect(done).toMatchObject({ repeated: false, counts: { retried: 1 }, result: 'run 3' });
    expect(await effects()).toEqual([1, 1]);
  });

  it('fails after four runs, and has changed nothing', async () => {
    const fails = Array.from({ length: 9 }, () => '40P01');
    await expect(actionsOn(database.pool).run(note('a', { fails }))).rejects.toMatchObject({ code: '40P01' });
    expect([runs, await effects()]).toEqual([4, [0, 0]]);
  });

  it('runs again after its connection was terminated', async () => {
    const { work, ...action } = note('a');
    const terminatedOnce = async (db: PoolClient) => {
      const done = await work(db);
      if (runs === 1) await db.query('select pg_terminate_backend(pg_backend_pid())');
      return done;
    };
    const done = await actionsOn(database.pool).run({ ...action, work: terminatedOnce });
    expect(done).toMatchObject({ result: 'run 2' });
    expect(await effects()).toEqual([1, 1]);
  });

  it.each(['before', 'after'] as const)('acts once when the connection is lost %s its commit', async (when) => {
    const done = await actionsOn(losingCommits(database.pool, { when, times: 1 })).run(note('a', { key: 'k' }));
    expect(done).toMatchObject({ repeated: false, counts: { matched: 1, retried: 1 } });
    expect(runs).toBe(when === 'after' ? 1 : 2);
    expect(await effects()).toEqual([1, 1]);
    expect(await countRows(database.pool, `admin_audit where id = '${done.id}'`)).toBe(1);
  });

  it('says which action it is when PostgreSQL does not return to tell what it has committed', async () => {
    const failed = actionsOn(losingCommits(database.pool, { when: 'after', times: 1_000 })).run(note('a'));
    const problem = await failed.catch((error: unknown) => error);
    const [entry] = (await database.pool.query<{ id: string }>('select id from admin_audit')).rows;
    expect(problem).toMatchObject({ code: 'storage-unavailable', extras: { members: { actionId: entry?.id } } });
    expect(await effects()).toEqual([1, 1]);
  }, 40_000);

  it('acts once for all requests with one key, and tells each what was done', async () => {
    const actions = actionsOn(database.pool);
    const all = await Promise.all(Array.from({ length: 12 }, () => actions.run(note('a', { key: 'k-1' }))));
    expect(all.filter(({ repeated }) => !repeated)).toHaveLength(1);
    expect(new Set(all.map(({ id }) => id)).size).toBe(1);
    expect(all.map(({ counts }) => counts)).toEqual(all.map(() => ({ matched: 1, retried: 1 })));
    expect(await effects()).toEqual([1, 1]);
  });

  it('refuses a key that was used for another change', async () => {
    const actions = actionsOn(database.pool);
    await actions.run(note('a', { key: 'k' }));
    await expect(actions.run(note('b', { key: 'k' }))).rejects.toMatchObject({ code: 'idempotency-key-reused' });
    await actions.run(note('b', { key: 'k-2' }));
    expect(await effects()).toEqual([2, 2]);
  });

  it('refuses a key for now while its action takes longer than two seconds', async () => {
    const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { work, ...action } = note('a', { key: 'k' });
    const slow = actionsOn(database.pool).run({
      ...action,
      work: async (db) => {
        begun.resolve();
        await ended.promise;
        return work(db);
      },
    });
    await begun.promise;
    const twin = actionsOn(database.pool).run(note('a', { key: 'k' }));
    await expect(twin).rejects.toMatchObject({ code: 'idempotency-in-flight', extras: { retryAfterSeconds: 1 } });
    ended.resolve();
    const { id } = await slow;
    await expect(actionsOn(database.pool).run(note('a', { key: 'k' }))).resolves.toMatchObject({ repeated: true, id });
    expect(await effects()).toEqual([1, 1]);
  });

  it('refuses a key for now while its action goes on after its transaction, until it ends or its lease does', async () => {
    const actions = actionsOn(database.pool);
    const { id } = await actions.run({ ...note('a', { key: 'k' }), leaseSeconds: 60 });
    const twin = () => actions.run(note('a', { key: 'k' }));
    await expect(twin()).rejects.toMatchObject({ code: 'idempotency-in-flight' });
    await expect(actions.run(note('b', { key: 'k' }))).rejects.toMatchObject({ code: 'idempotency-key-reused' });

    await recordProgress(database.pool, id, { counts: { retried: 2 }, leaseSeconds: 0 });
    await expect(twin()).resolves.toMatchObject({ repeated: true, id, counts: { retried: 2 } });
    await recordProgress(database.pool, id, { counts: { retried: 3 }, leaseSeconds: 60 });
    await expect(twin()).rejects.toMatchObject({ code: 'idempotency-in-flight' });
    await recordEnd(database.pool, id);
    await expect(twin()).resolves.toMatchObject({ repeated: true, id, counts: { retried: 3 } });
  });

  it('frees the key of an action that failed', async () => {
    const actions = actionsOn(database.pool);
    await expect(actions.run(note('a', { key: 'k', fails: ['XX000'] }))).rejects.toMatchObject({ code: 'XX000' });
    await expect(actions.run(note('b', { key: 'k' }))).resolves.toMatchObject({ repeated: false });
  });

  it('is remembered by its key until the retention ends, and by its entry for ever', async () => {
    const actions = actionsOn(database.pool);
    const { id } = await actions.run(note('a', { key: 'k' }));
    await expect(forgetActionKeys(database.pool, { retentionDays: 7, limit: 10 })).resolves.toBe(0);
    await pastTheTriggers(database.pool, `update admin_audit set id = ('00000000' || substr(id::text, 9))::uuid`);
    await expect(forgetActionKeys(database.pool, { retentionDays: 7, limit: 10 })).resolves.toBe(1);
    const again = await actions.run(note('a', { key: 'k' }));
    expect([again.repeated, again.id === id]).toEqual([false, false]);
    expect(await countRows(database.pool, 'admin_audit')).toBe(2);
  });
});
