import { version } from '../../../package.json';
import { admin } from '../../support/admin';
import { givenOperator, heedAccess } from '../../support/credentials';
import { useApp } from '../../support/fixtures/app';

interface Health {
  version: string;
  nodeVersion: string;
  postgresVersion: string;
  connections: number;
  maxConnections: number;
  partitionsAhead: number;
  chores: { name: string; ageSeconds: number; errorCode: string | null; overdue: boolean }[];
  findings: { what: string; severity: string; sentence: string }[];
}

describe('GET /v1/admin/health', () => {
  const api = useApp({ APP_ROLE: 'api' });
  const health = async () => (await admin<Health>(api.url, 'health')).body;
  /** Apart from the server itself: the one of the tests may lose data in a crash, which is a problem elsewhere. */
  const problems = async () => {
    const { findings } = await health();
    return findings.filter(({ what, severity }) => severity === 'problem' && what !== 'postgres');
  };

  it('has versions, connections and the partitions of the coming week', async () => {
    const found = await health();
    const { rows } = await api.pool.query<{ server_version: string }>('show server_version');
    expect(found).toMatchObject({ version, nodeVersion: process.version, postgresVersion: rows[0]?.server_version });
    expect(found.connections).toBeGreaterThan(0);
    expect(found.maxConnections).toBeGreaterThan(found.connections);
    expect(found.partitionsAhead).toBeGreaterThanOrEqual(7);
    expect(await problems()).toEqual([]);
  });

  it('counts partitions that are not there', async () => {
    const { rows } = await api.pool.query<{ name: string }>(
      `select 'outbox_d' || to_char(now() at time zone 'UTC' + interval '1 day', 'YYYYMMDD') as name`,
    );
    const before = (await health()).partitionsAhead;
    await api.pool.query(`drop table ${rows[0]?.name}`);
    expect((await health()).partitionsAhead).toBe(before - 1);
    expect(await problems()).toMatchObject([{ what: 'schema' }]);
    expect((await health()).findings.map(({ what }) => what)).toContain('postgres');
    await api.pool.query('select ensure_partitions()');
  });

  it('says which chore is overdue, and why', async () => {
    await api.pool.query('truncate chores');
    await api.pool.query(
      `insert into chores (name, succeeded_at, error_code)
       values ('retention', now() - interval '5 hours', '42501'), ('audit-chain', now(), null)`,
    );
    const { chores } = await health();
    expect(chores.map(({ name, errorCode, overdue }) => ({ name, errorCode, overdue }))).toEqual([
      { name: 'audit-chain', errorCode: null, overdue: false },
      { name: 'retention', errorCode: '42501', overdue: true },
    ]);
    expect(await problems()).toEqual([
      {
        what: 'upkeep',
        severity: 'problem',
        sentence: expect.stringContaining('retention has not succeeded for 300 min (SQLSTATE 42501)') as string,
      },
    ]);
  });

  it('is read by viewers of all tenants, and not by those who are bound to some', async () => {
    const all = await givenOperator(api.pool, { role: 'viewer' });
    const bound = await givenOperator(api.pool, { role: 'owner', tenantIds: ['acme'] });
    heedAccess(api.app);
    expect((await admin(api.url, 'health', undefined, { 'x-admin-token': all.text })).status).toBe(200);
    expect((await admin(api.url, 'health', undefined, { 'x-admin-token': bound.text })).status).toBe(403);
  });
});
