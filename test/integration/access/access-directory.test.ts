import type { Pool } from 'pg';
import { AccessDirectory } from '../../../src/access/identity/access-directory';
import { LastUsed } from '../../../src/access/last-used';
import { startTestApp } from '../../support/app';
import { givenKey, givenOperator } from '../../support/credentials';
import { call } from '../../support/e2e-http';
import { useDatabase } from '../../support/fixtures/database';

/** The same pool, which counts statements and the rows that they return. */
function counting(pool: Pool): { pool: Pool; counts: { statements: number; rows: number } } {
  const counts = { statements: 0, rows: 0 };
  const query = async (...given: [string, unknown[]]) => {
    const result = await pool.query(...given);
    counts.statements += 1;
    counts.rows += result.rows.length;
    return result;
  };
  return { pool: Object.assign(Object.create(pool) as Pool, { query }), counts };
}

describe('the access directory', () => {
  const database = useDatabase();

  async function giveManyKeys(count: number): Promise<void> {
    await database.pool.query(
      `insert into api_keys (id, tenant_id, name, digest, scopes, created_by)
       select 'many' || n, 'tenant-' || n % 500, 'n', sha256(n::text::bytea), '{ingest}', 'test'
         from generate_series(1, $1::int) as n`,
      [count],
    );
  }

  it('reads one row after a change among 10,000 keys, and none without a change', async () => {
    await giveManyKeys(10_000);
    const { pool, counts } = counting(database.pool);
    const directory = new AccessDirectory(pool);
    const rowsOfRefresh = async (): Promise<number> => {
      counts.rows = 0;
      directory.invalidate();
      await directory.ensureFresh();
      return counts.rows - 1; // without the version
    };
    expect(await rowsOfRefresh()).toBe(10_000);
    expect(await rowsOfRefresh()).toBe(0);
    const { id } = await givenKey(database.pool, { tenantId: 'acme' });
    expect(await rowsOfRefresh()).toBe(1);
    expect(directory.key(id)).toMatchObject({ tenantId: 'acme' });
    await database.pool.query('update api_keys set revoked_at = now() where id = $1', [id]);
    expect(await rowsOfRefresh()).toBe(1);
    expect(directory.key(id)).toBeUndefined();
    expect(directory.key('many1')).toBeDefined();
    // Each process writes this once a minute, and nobody has to read it.
    await database.pool.query('update api_keys set last_used_at = now()');
    expect(await rowsOfRefresh()).toBe(0);
  });

  it('reads everything again when the database was set back to an earlier state', async () => {
    const [revoked, lost] = [
      await givenKey(database.pool, { tenantId: 'acme' }),
      await givenKey(database.pool, { tenantId: 'acme' }),
    ];
    const directory = new AccessDirectory(database.pool);
    await directory.ensureFresh();
    await database.pool.query('delete from api_keys where id = $1', [lost.id]);
    await database.pool.query('update access_version set version = version - 50');
    await database.pool.query('update api_keys set revoked_at = now() where id = $1', [revoked.id]);
    directory.invalidate();
    await directory.ensureFresh();
    expect([directory.key(revoked.id), directory.key(lost.id)]).toEqual([undefined, undefined]);
  });

  it('sends no query while it is fresh', async () => {
    const { pool, counts } = counting(database.pool);
    const directory = new AccessDirectory(pool);
    await directory.ensureFresh();
    counts.statements = 0;
    for (let n = 0; n < 1_000; n++) expect(directory.ensureFresh()).toBeUndefined();
    expect(counts.statements).toBe(0);
  });

  it('misses no change, however many transactions commit at once', async () => {
    const directory = new AccessDirectory(database.pool);
    const stored: string[] = [];
    const writers = Array.from({ length: 5 }, async () => {
      for (let n = 0; n < 20; n++) stored.push((await givenKey(database.pool, { tenantId: 'busy' })).id);
    });
    const reader = (async () => {
      while (stored.length < 100) {
        directory.invalidate();
        await directory.ensureFresh();
      }
    })();
    await Promise.all([...writers, reader]);
    directory.invalidate();
    await directory.ensureFresh();
    expect(stored.filter((id) => !directory.key(id))).toEqual([]);
  });
});

describe('the time of the last use', () => {
  const database = useDatabase();
  const lastUsed = async (table: 'api_keys' | 'operators', id: string): Promise<string | null> => {
    const { rows } = await database.pool.query<{ at: string | null }>(
      `select last_used_at as at from ${table} where id = $1`,
      [id],
    );
    return rows[0]?.at ?? null;
  };

  it('is stored when the process stops, for keys and for operators that were accepted', async () => {
    const [used, unused] = [
      await givenKey(database.pool, { tenantId: 'acme' }),
      await givenKey(database.pool, { tenantId: 'acme' }),
    ];
    const operator = await givenOperator(database.pool, { role: 'viewer' });
    const running = await startTestApp(database.url, { APP_ROLE: 'api' });
    const beforeMs = Date.now();
    for (const text of [used.text, operator.text]) {
      expect((await call(`${running.url}/v1/whoami`, { headers: { authorization: `Bearer ${text}` } })).status).toBe(
        200,
      );
    }
    expect(await lastUsed('api_keys', used.id)).toBeNull(); // at most once a minute
    await running.close();
    expect(Date.parse((await lastUsed('api_keys', used.id)) ?? '')).toBeGreaterThanOrEqual(beforeMs);
    expect(Date.parse((await lastUsed('operators', operator.id)) ?? '')).toBeGreaterThanOrEqual(beforeMs);
    expect(await lastUsed('api_keys', unused.id)).toBeNull();
  });

  it('never goes back, when another process has stored a later one', async () => {
    const { id } = await givenKey(database.pool, { tenantId: 'acme' });
    const later = '2036-01-01T00:00:00.000Z';
    await database.pool.query('update api_keys set last_used_at = $2 where id = $1', [id, later]);
    const uses = new LastUsed(database.pool);
    uses.note('key', id);
    await uses.beforeApplicationShutdown();
    expect(await lastUsed('api_keys', id)).toBe(later);
  });
});
