import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import { migrate } from '../../../src/db/migrations/migrate';
import { createPool } from '../../../src/db/pool';
import { ChoreRecords } from '../../../src/db/retention/chore-records';
import { UpkeepCheck } from '../../../src/operations/upkeep-check';
import { Retention } from '../../../src/outbox/retention';
import { startTestApp, testSettings, type TestApp } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { getEvent, postEvent } from '../../support/e2e-http';
import { erased } from '../../support/erasures';
import { eventually } from '../../support/eventually';
import { countRows } from '../../support/rows';
import { statisticsWith } from '../../support/everything-stored';

const DOCUMENT = readFileSync(path.resolve(__dirname, '../../../docs/postgresql.md'), 'utf8');
const [GRANTS = ''] = [...DOCUMENT.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql]) => sql as string);

const SOON_MS = 30_000;

describe('processes with the role of docs/postgresql.md, which owns nothing', () => {
  let database: TestDatabase;
  /** Owns the tables. It is no superuser either. */
  let owner: string;
  let app: TestApp;
  let pool: Pool;
  const urlOf = (role: string): string => {
    const url = new URL(database.url);
    url.username = role;
    return url.href;
  };

  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase({ migrated: false });
    owner = `owner_${database.url.slice(-12)}`;
    const name = new URL(database.url).pathname.slice(1);
    await database.pool.query(`create role ${owner} login`);
    await database.pool.query(
      `grant create on database ${name} to ${owner}; grant create on schema public to ${owner}`,
    );
    await migrate(urlOf(owner));
    await database.pool.query(GRANTS);
    pool = createPool(urlOf('streamforge_app'), 'few rights');
    app = await startTestApp(urlOf('streamforge_app'));
  }, 60_000);
  afterAll(async () => {
    await app?.close();
    await pool?.end();
    await database.pool.query(`drop owned by streamforge_app cascade; drop role streamforge_app`);
    await database.pool.query(`drop owned by ${owner} cascade; drop role ${owner}`);
    await database.drop();
  });

  const event = (subject: string, payload: unknown = {}) =>
    JSON.stringify({ eventType: 'order.paid', subject, payload });
  const accepted = async (subject: string, payload?: unknown): Promise<string> => {
    const { status, text, body } = await postEvent(app.url, 'acme', event(subject, payload));
    expect([status, text]).toEqual([202, expect.anything()]);
    return body.id;
  };
  const completed = (id: string) =>
    eventually(async () => expect((await getEvent(app.url, 'acme', id)).body.status).toBe('COMPLETED'), SOON_MS);
  const ready = async () => (await app.http.get('/ready')).body as { status: string; checks: Record<string, unknown> };

  const eighthDay = async (): Promise<string> => {
    const { rows } = await database.pool.query<{ name: string }>(
      `select 'outbox' || to_char((now() + interval '8 days') at time zone 'UTC', '"_d"YYYYMMDD') as name`,
    );
    return rows[0]?.name ?? '';
  };

  it('take, process and show events, and are ready', async () => {
    await completed(await accepted('a'));
    await eventually(async () => expect(await ready()).toMatchObject({ status: 'ready' }), SOON_MS);
  });

  it('make partitions that are missing, which they may then use, and drop those whose time has passed', async () => {
    const old = 'outbox_d20260105';
    await database.pool.query(
      `begin; set local role ${owner};
       select attach_partition('outbox', '${old}', '2026-01-05 00:00:00+00', '2026-01-06 00:00:00+00', '');
       commit`,
    );
    const eighth = await eighthDay();
    await database.pool.query(`drop table ${eighth}`);
    const retention = new Retention(testSettings(), pool);
    await eventually(async () => {
      await retention.runOnce();
      expect(await countRows(pool, `pg_class where relname = '${eighth}'`)).toBe(1);
      expect(await countRows(pool, `pg_class where relname = '${old}'`)).toBe(0);
    }, SOON_MS);
    await expect(countRows(pool, eighth)).resolves.toBe(0);
  });

  it('erase an event, also from the statistics of the database', async () => {
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, i) => accepted('person-7', { secret: `Erika Mustermann ${i}` })),
    );
    for (const id of ids) await completed(id);
    await database.pool.query('analyze events');
    const erasure = await erased(pool, app.url, { tenantId: 'acme', subject: 'person-7' });
    expect(erasure).toMatchObject({ status: 'DONE', statistics: 'RENEWED' });
    expect(await statisticsWith(database.pool, 'Erika')).toEqual([]);
  }, 60_000);

  it.each([
    'drop table events',
    'alter table events add column mine text',
    'create table mine (n integer)',
    'truncate events',
    `insert into schema_migrations (timestamp, name) values (0, 'mine')`,
  ])('may not: %s', async (statement) => {
    await expect(pool.query(statement)).rejects.toMatchObject({ code: '42501' });
  });

  it.each([
    `select drop_partitions(array['events'])`,
    `select drop_partitions(array['events_default'])`,
    `select drop_partitions(array['installation'])`,
    `select drop_partitions(array['outbox_d20260105; drop table events'])`,
    `select drop_partitions(array['outbox_d' || to_char(now() at time zone 'UTC', 'YYYYMMDD')])`,
    `select renew_statistics('pg_catalog.pg_class', array['relname'])`,
  ])('may do nothing but upkeep with the functions of the owner: %s', async (statement) => {
    await expect(pool.query(statement)).rejects.toMatchObject({ code: '22023' });
  });

  it('make no partition that is not missing', async () => {
    const { rows } = await pool.query(`select make_partition('events', 'events_y2030w01') as made`);
    expect(rows).toEqual([{ made: false }]);
  });

  it('summarise the indexes of attempts', async () => {
    await expect(pool.query('select summarise_attempts()')).resolves.toMatchObject({ rowCount: 1 });
  });

  it('leave these functions to those to whom they are granted', async () => {
    await database.pool.query(`create role few_rights_stranger login`);
    const stranger = createPool(urlOf('few_rights_stranger'), 'stranger');
    try {
      const calls = ['ensure_partitions()', `make_partition('events', 'x')`, `drop_partitions('{}')`];
      for (const call of [...calls, 'summarise_attempts()']) {
        await expect(stranger.query(`select ${call}`)).rejects.toMatchObject({ code: '42501' });
      }
    } finally {
      await stranger.end();
      await database.pool.query('drop owned by few_rights_stranger; drop role few_rights_stranger');
    }
  });

  it('say in /ready and in a metric when a right is missing for a chore', async () => {
    app.app.get(UpkeepCheck).upSeconds = () => 1e6; // as if the process had run for long
    await database.pool.query('revoke execute on function make_partition(text, text) from streamforge_app');
    await database.pool.query(`drop table ${await eighthDay()}`);
    try {
      const retention = new Retention(testSettings(), pool);
      const failed = new ChoreRecords(pool).run('retention', () => retention.runOnce());
      await expect(failed).rejects.toMatchObject({ code: '42501' });
      await database.pool.query(`update chores set succeeded_at = now() - interval '1 hour' where name = 'retention'`);
      const { status, checks } = await ready();
      expect(status).toBe('degraded');
      expect(checks.upkeep).toEqual({
        status: 'down',
        message: 'retention has not succeeded for 60 min (SQLSTATE 42501)',
      });
      const metric = /streamforge_chore_overdue_seconds\{chore="retention"\} (\d+)/;
      const [, seconds] = metric.exec((await app.http.get('/metrics')).text) ?? [];
      expect(Number(seconds)).toBeGreaterThan(1_000);
    } finally {
      await database.pool.query('grant execute on function make_partition(text, text) to streamforge_app');
    }
    await new ChoreRecords(pool).run('retention', () => new Retention(testSettings(), pool).runOnce());
    await eventually(async () => expect(await ready()).toMatchObject({ status: 'ready' }), SOON_MS);
  }, 90_000);
});
