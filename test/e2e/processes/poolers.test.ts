import { checkPostgres } from '../../../src/commands/doctor/check-postgres';
import { migrate } from '../../../src/db/migrations/migrate';
import { createPool, inTransaction, queryWithSettings } from '../../../src/db/pool';
import { SESSION_NEEDS } from '../../../src/db/session/session-needs';
import { admin, type ReplayProgress, type ReplayStarted } from '../../support/admin';
import { call, getEvent, postEvent, postStream, usageOf } from '../../support/e2e-http';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import { allCompleted, TestCluster } from '../../support/processes/e2e-cluster';
import { PgBouncer, type PoolMode } from '../../support/processes/pgbouncer';
import { spawnProcess, type TestProcess } from '../../support/processes/process';
import { givenDestination } from '../../support/receivers/destinations';
import { TestReceiver } from '../../support/receivers/receiver';
import { countRows } from '../../support/rows';

const NO_KEYS = { INSTALLATION_KEY: [], DESTINATIONS_SECRET_KEY: [] };
const TENANT = 'pooled';
const EVENTS = 200;
const AT_A_TIME = 20;

/** In session mode, each of the three processes keeps up to 10 connections, and a migration takes two. */
const POOL_SIZES: Record<Exclude<PoolMode, 'statement'>, string> = { transaction: '5', session: '60' };

describe.each(Object.entries(POOL_SIZES))('three processes behind PgBouncer with pool_mode=%s', (mode, size) => {
  let pooler: PgBouncer;
  let cluster: TestCluster;
  let receiver: TestReceiver;
  let url: string;
  let api: TestProcess;
  let others: TestProcess[];
  beforeAll(async () => {
    pooler = await PgBouncer.start(mode as PoolMode, { default_pool_size: size });
    cluster = await TestCluster.create({ migrated: false });
    receiver = await TestReceiver.start();
    url = pooler.urlOf(cluster.database.url);
    expect((await migrate(url)).length).toBeGreaterThan(0);
    const env = { DATABASE_URL: url, DESTINATIONS_ALLOW_PRIVATE: 'true' };
    [api, ...others] = await Promise.all([
      cluster.start('api', env),
      cluster.start('publisher', env),
      cluster.start('worker', env),
    ]);
  });
  afterAll(async () => {
    await receiver.stop();
    await cluster.drop();
    await pooler.stop();
  });

  const attemptsBut = (status: string) => `processing_attempts where status <> '${status}'`;

  it('are ready, and doctor finds no problem', async () => {
    for (const { url: own } of [api, ...others]) {
      await eventually(async () =>
        expect((await call<{ status: string }>(`${own}/ready`)).body).toMatchObject({ status: 'ready' }),
      );
    }
    const findings = await checkPostgres(url, NO_KEYS);
    expect(findings.filter(({ what }) => what === 'pooler')).toHaveLength(1);
    const problems = findings.filter(({ severity }) => severity === 'problem');
    expect(problems.filter(({ sentence }) => !sentence.startsWith('fsync'))).toEqual([]); // it is off in tests
  });

  it('accept 200 events, 20 at a time, complete and deliver each at the first attempt', async () => {
    await givenDestination(api.url, { tenantId: TENANT, url: receiver.url });
    const occurredAt = '2026-03-29T02:30:00.123+02:00';
    const statuses: number[] = [];
    for (let sent = 0; sent < EVENTS; sent += AT_A_TIME) {
      const bodies = Array.from({ length: AT_A_TIME }, (_, i) => eventBody({ eventId: `e${sent + i}`, occurredAt }));
      const answers = await Promise.all(bodies.map((body) => postEvent(api.url, TENANT, JSON.stringify(body))));
      statuses.push(...answers.map(({ status }) => status));
    }
    expect(statuses).toEqual(Array<number>(EVENTS).fill(202));
    await allCompleted(cluster.pool, TENANT, EVENTS);
    await eventually(() =>
      expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(EVENTS),
    );
    expect(receiver.received).toHaveLength(EVENTS);
    expect(await usageOf(api.url, TENANT)).toBe(EVENTS);
    await expect(countRows(cluster.pool, 'processing_attempts')).resolves.toBe(EVENTS);
    await expect(countRows(cluster.pool, attemptsBut('SUCCESS'))).resolves.toBe(0);
    await expect(countRows(cluster.pool, `outbox where status <> 'PUBLISHED' or attempts <> 0`)).resolves.toBe(0);
    const { body } = await getEvent(api.url, TENANT, 'e0');
    expect(body).toMatchObject({ occurredAt: '2026-03-29T00:30:00.123Z', status: 'COMPLETED' });
    expect(body.attempts).toMatchObject([{ attemptNumber: 1, status: 'SUCCESS' }]);
  });

  it('take a stream, and a replay that the leader carries out', async () => {
    const events = syntheticEvents(500, 'stream');
    const answer = await postStream(api.url, 'streamed', toNdjson(events));
    expect(answer.body.summary).toMatchObject({ records: 500, accepted: 500 });
    await allCompleted(cluster.pool, 'streamed', 500);
    const started = await admin<ReplayStarted>(api.url, 'replay', { tenantId: 'streamed', mode: 'reprocess' });
    expect(started.body).toMatchObject({ matched: 500 });
    await eventually(async () => {
      const { body } = await admin<ReplayProgress>(api.url, `replays/${started.body.replayId}`);
      expect(body).toMatchObject({ status: 'DONE', progress: { completed: 500 } });
    });
    await expect(countRows(cluster.pool, attemptsBut('SUCCESS'))).resolves.toBe(0);
  });

  it('have the session that they need in every statement and transaction', async () => {
    const pool = createPool(url, 'streamforge test');
    try {
      const text = `select ${[...SESSION_NEEDS.keys()].map((name) => `current_setting('${name}')`).join(` || '|' || `)} as is`;
      const is = [...SESSION_NEEDS.values()].join('|');
      const alone = Array.from({ length: 50 }, () => pool.query({ name: 'one-name', text }));
      for (const { rows } of await Promise.all(alone)) expect(rows).toEqual([{ is }]);
      await inTransaction(pool, async (db) => {
        expect((await db.query(text)).rows).toEqual([{ is }]);
        expect((await db.query('show transaction_isolation')).rows).toEqual([
          { transaction_isolation: 'read committed' },
        ]);
      });
      const own = await queryWithSettings(pool, `set local lock_timeout = '1s'`, { text: 'show lock_timeout' });
      expect(own.rows).toEqual([{ lock_timeout: '1s' }]);
      await expect(pool.query('select 1/0')).rejects.toMatchObject({ code: '22012' });
      expect((await pool.query(text)).rows).toEqual([{ is }]);
    } finally {
      await pool.end();
    }
  });

  it('leave no setting behind in the sessions of the pooler', async () => {
    // In session mode, PgBouncer itself resets a session before it gives it to another client.
    const bystander = createPool(url, 'streamforge test');
    bystander.options.onConnect = undefined;
    try {
      for (let i = 0; i < 10; i++) expect((await bystander.query('show jit')).rows).toEqual([{ jit: 'on' }]);
    } finally {
      await bystander.end();
    }
  });

  it('end within their grace', async () => {
    const codes = await Promise.all([api, ...others].map((running) => running.end('SIGTERM')));
    expect(codes).toEqual([0, 0, 0]);
  });
});

describe('behind PgBouncer with pool_mode=statement', () => {
  let pooler: PgBouncer;
  let cluster: TestCluster;
  beforeAll(async () => {
    pooler = await PgBouncer.start('statement');
    cluster = await TestCluster.create();
  });
  afterAll(async () => {
    await cluster.drop();
    await pooler.stop();
  });

  it.each(['api', 'all'])('%s refuses to start in one sentence, and doctor says the same', async (APP_ROLE) => {
    const url = pooler.urlOf(cluster.database.url);
    const { child, output } = spawnProcess({ APP_ROLE, DATABASE_URL: url });
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    expect([code, output().trim().split('\n')]).toEqual([
      1,
      [expect.stringMatching(/^DATABASE_URL: the pooler .*pool_mode=statement\): set pool_mode to transaction/)],
    ]);
    const [finding] = await checkPostgres(url, NO_KEYS);
    expect(finding).toMatchObject({ severity: 'problem', sentence: output().trim() });
  });
});
