import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type Pool } from 'pg';
import { DatabaseHistory } from '../../../src/db/history/database-history';
import { readHistory } from '../../../src/db/history/history.queries';
import { createPool } from '../../../src/db/pool';
import { closeAll, atTheEnd } from '../../support/broker/closing';
import { openProxy } from '../../support/broker/proxy';
import { eventually } from '../../support/eventually';
import { detachStandby, dumped, OwnServer, promote, rowsOf } from '../../support/processes/e2e-own-servers';

/** Of src/db/history/database-history.ts. */
const DEADLINE_MS = 250;

describe('the history of a database', () => {
  let server: OwnServer;
  beforeAll(async () => {
    server = await OwnServer.postgres();
  });
  afterEach(closeAll);
  afterAll(() => server.stop());

  const poolTo = (url: string): Pool => {
    const pool = createPool(url, 'streamforge test');
    atTheEnd(() => pool.end());
    return pool;
  };
  /** Over a connection of its own. */
  const historyOf = async (url: string): Promise<string> => {
    const client = new Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await readHistory(client);
    } finally {
      await client.end();
    }
  };

  it('is the same for all connections, and whatever is written or checked', async () => {
    const before = await historyOf(server.url);
    const pool = poolTo(server.url);
    await pool.query('update installation set incarnation = incarnation');
    await pool.query('checkpoint');
    await pool.query('vacuum database_history');
    await pool.query('analyze');
    expect(await readHistory(pool)).toBe(before);
    expect(await historyOf(server.url)).toBe(before);
  });

  it('changes when a dump is restored in place, also for connections that stay open', async () => {
    const pool = poolTo(server.url);
    const client = await pool.connect();
    try {
      const before = await readHistory(client);
      const dump = dumped(server.url);
      expect(await readHistory(client)).toBe(before);
      dump.restore();
      expect(await readHistory(client)).not.toBe(before);
      expect(await readHistory(client)).toBe(await historyOf(server.url));
    } finally {
      client.release();
    }
  });

  it('changes when the rows are put back without the tables being made anew', async () => {
    const pool = poolTo(server.url);
    const before = await readHistory(pool);
    await pool.query(`
      begin; create temporary table kept on commit drop as select * from database_history;
      delete from database_history; insert into database_history select * from kept; commit`);
    const between = await readHistory(pool);
    expect(between).not.toBe(before);
    await pool.query('truncate idempotency_keys');
    expect(await readHistory(pool)).not.toBe(between);
  });

  it('is unknown while a restore has not filled the table', async () => {
    const client = await poolTo(server.url).connect();
    try {
      await client.query('begin');
      await client.query('delete from database_history');
      await expect(readHistory(client)).rejects.toMatchObject({ code: '57P03' });
    } finally {
      await client.query('rollback');
      client.release();
    }
  });

  it('changes when a copy takes the name of the database', async () => {
    const copy = new URL(server.url);
    copy.pathname = '/copy';
    const maintenance = new URL(server.url);
    maintenance.pathname = '/template1';
    const before = await historyOf(server.url);
    await rowsOf(maintenance.href, 'create database copy template postgres');
    expect(await historyOf(copy.href)).not.toBe(before);
    await rowsOf(maintenance.href, 'alter database postgres rename to old');
    await rowsOf(maintenance.href, 'alter database copy rename to postgres');
    expect(await historyOf(server.url)).not.toBe(before);
    await rowsOf(maintenance.href, 'drop database old');
  });

  it('changes when PostgreSQL loses its memory, and with it commits that did not wait for the disk', async () => {
    const before = await historyOf(server.url);
    const [row] = await rowsOf<{ pid: number }>(
      server.url,
      `select pid from pg_stat_activity where backend_type = 'background writer'`,
    );
    process.kill(row?.pid as number, 'SIGKILL'); // PostgreSQL ends all sessions and recovers, as the same process
    const after = await eventually(async () => {
      const history = await historyOf(server.url);
      expect(history).not.toBe(before);
      return history;
    }, 60_000);
    expect(await historyOf(server.url)).toBe(after);
  });

  it('changes when PostgreSQL is killed and started again', async () => {
    const before = await historyOf(server.url);
    await server.kill();
    await server.startAgain();
    expect(await historyOf(server.url)).not.toBe(before);
  });

  it('changes when a standby takes over behind the same address', async () => {
    const proxy = await openProxy(server.url);
    const standby = await OwnServer.standbyOf(server);
    atTheEnd(() => standby.stop());
    const before = await historyOf(proxy.url);
    expect(await historyOf(standby.url)).not.toBe(before);
    await detachStandby(standby.url);
    await server.kill();
    await promote(standby.url);
    proxy.redirect(standby.url);
    const after = await historyOf(proxy.url);
    expect(after).not.toBe(before);
    await rowsOf(standby.url, 'checkpoint'); // the server knows its new timeline only now
    expect(await historyOf(proxy.url)).toBe(after);
    await server.startAgain();
  });

  describe('when it is asked for', () => {
    /** Resolves once a statement was sent on the next connection that the pool hands out. */
    const underWay = async (pool: Pool): Promise<void> => {
      await once(pool, 'acquire');
      for (let i = 0; i < 10; i++) await Promise.resolve(); // no answer can be read before the end of this turn
    };

    it('is read once for all who ask together, and again for those who ask while it is being read', async () => {
      const pool = poolTo(server.url);
      const known = await readHistory(pool);
      const connects = jest.spyOn(pool, 'connect');
      const history = new DatabaseHistory(pool);
      const first = [history.confirmed(), history.confirmed()];
      await underWay(pool);
      const later = [history.confirmed(), history.confirmed(), history.confirmed()];
      expect(await Promise.all([...first, ...later])).toEqual(Array.from({ length: 5 }, () => known));
      expect(connects).toHaveBeenCalledTimes(2);
    });

    it('is not unknown while all connections are in use, and one wait is enough for all who ask meanwhile', async () => {
      const pool = poolTo(server.url);
      const known = await readHistory(pool);
      const history = new DatabaseHistory(pool);
      const busy = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()));
      const asked = [history.confirmed()];
      const muchLater = sleep(3 * DEADLINE_MS, 'waits');
      expect(await Promise.race([...asked, muchLater])).toBe('waits');
      asked.push(history.confirmed(), history.confirmed());
      expect(pool.waitingCount).toBe(1);
      for (const client of busy) client.release();
      expect(await Promise.all(asked)).toEqual([known, known, known]);
    });

    it('is not unknown when the answer has arrived while this process was busy', async () => {
      const pool = poolTo(server.url);
      const known = await readHistory(pool);
      const history = new DatabaseHistory(pool);
      const asked = history.confirmed();
      await underWay(pool);
      for (const untilMs = performance.now() + 3 * DEADLINE_MS; performance.now() < untilMs;);
      expect(await asked).toBe(known);
    });

    it('is unknown when no connection can be made', async () => {
      const proxy = await openProxy(server.url);
      const pool = poolTo(proxy.url);
      await proxy.cut();
      expect(await new DatabaseHistory(pool).confirmed()).toBeUndefined();
    });

    it('is unknown while PostgreSQL is frozen, which occupies one connection at most', async () => {
      const proxy = await openProxy(server.url);
      const pool = poolTo(proxy.url);
      const history = new DatabaseHistory(pool);
      const before = await eventually(async () => {
        const told = await history.confirmed();
        expect(told).toBeDefined();
        return told;
      });
      proxy.freeze();
      for (let i = 0; i < 3; i++) expect(await history.confirmed()).toBeUndefined();
      expect([pool.totalCount, pool.waitingCount]).toEqual([1, 0]);
      proxy.thaw();
      await eventually(async () => expect(await history.confirmed()).toBe(before));
    });
  });
});
