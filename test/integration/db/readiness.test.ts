import { HealthIndicatorService } from '@nestjs/terminus';
import type { Pool } from 'pg';
import { createPool } from '../../../src/db/pool';
import { PostgresIndicator } from '../../../src/operations/postgres-indicator';
import { closePool } from '../../../src/db/close-pool';
import { eventually } from '../../support/eventually';
import { OwnServer, rowsOf } from '../../support/processes/e2e-own-servers';

const SOON_MS = 30_000;
const WAITS = { status: 'down', message: 'lets commits wait for a synchronous standby' };
const BUSY = { status: 'up', message: 'all connections of this process are in use' };

describe('what /ready finds out about PostgreSQL', () => {
  let server: OwnServer;
  let pool: Pool;
  let indicator: PostgresIndicator;
  const check = async () => (await indicator.check()).postgres;
  const sql = (text: string) => rowsOf(server.url, text);
  const waitForStandby = async (name: string): Promise<void> => {
    await sql(`alter system set synchronous_standby_names = '${name}'`);
    await sql('select pg_reload_conf()');
  };

  beforeAll(async () => {
    server = await OwnServer.postgres();
    await sql('create table written (n integer)');
  }, 60_000);
  beforeEach(() => {
    pool = createPool(server.url, 'readiness');
    indicator = new PostgresIndicator(new HealthIndicatorService(), { APP_ROLE: ['api'] }, pool);
  });
  afterEach(() => closePool(pool));
  afterAll(() => server?.stop());

  it('is up while statements succeed', async () => {
    expect(await check()).toEqual({ status: 'up' });
  });

  it('is down while commits wait for a synchronous standby that is gone, and up when they return', async () => {
    await waitForStandby('gone');
    const commit = pool.query('insert into written values (1)');
    try {
      expect(await check()).toEqual({ status: 'up' }); // nobody has waited for long
      await eventually(async () => expect(await check()).toEqual(WAITS), SOON_MS);
      expect(await check()).toEqual(WAITS);
    } finally {
      await waitForStandby('');
    }
    await commit;
    await eventually(async () => expect(await check()).toEqual({ status: 'up' }), SOON_MS);
  }, 90_000);

  it('sees commits that wait although their client has gone, and needs no commit of its own', async () => {
    await waitForStandby('gone');
    const client = createPool(server.url, 'impatient');
    client.on('error', () => undefined);
    client.query('insert into written values (2)').catch(() => undefined);
    try {
      await eventually(async () => expect(await waiting()).toBe(1), SOON_MS);
      await closePool(client);
      await eventually(async () => expect(await check()).toEqual(WAITS), SOON_MS);
    } finally {
      await waitForStandby('');
    }
    await eventually(async () => expect(await check()).toEqual({ status: 'up' }), SOON_MS);
  }, 90_000);

  it('is up while its own pool is busy with statements that succeed', async () => {
    const rounds = 8;
    const statements = Array.from({ length: pool.options.max * rounds }, () => pool.query('select pg_sleep(0.5)'));
    expect(await check()).toEqual(BUSY);
    await Promise.all(statements);
    expect(await check()).toEqual({ status: 'up' });
  }, 60_000);

  it('is down while all connections of its pool wait for a server that stands still', async () => {
    const connected = Array.from({ length: pool.options.max }, () => pool.query('select pg_sleep(0.1)'));
    await Promise.all(connected);
    server.freeze();
    try {
      for (let i = 0; i < pool.options.max; i++) pool.query('select 1').catch(() => undefined);
      await eventually(
        async () => expect(await check()).toEqual({ status: 'down', message: 'does not answer' }),
        SOON_MS,
      );
    } finally {
      server.thaw();
    }
    await eventually(async () => expect(await check()).toEqual({ status: 'up' }), SOON_MS);
  }, 90_000);

  const waiting = async (): Promise<number> =>
    (await sql(`select pid from pg_stat_activity where wait_event = 'SyncRep'`)).length;
});
