import type { Pool } from 'pg';
import { checkPostgres } from '../../../src/commands/doctor/check-postgres';
import { applicationNameOf, IS_OF_EARLIER_BUILD } from '../../../src/db/application-name';
import { hasPendingMigrations } from '../../../src/db/migrations/migrate';
import { classifyPgError } from '../../../src/db/pg-errors';
import { createPool } from '../../../src/db/pool';
import { keepsNoState } from '../../../src/db/session/keep-no-state';
import { isRefusedSession } from '../../../src/db/session/session-error';
import { SESSION_NEEDS } from '../../../src/db/session/session-needs';
import { createTestDatabase, type TestDatabase } from '../../support/database';

/** What a database may make of its sessions. */
const OTHER_DEFAULTS = {
  timezone: `'Europe/Berlin'`,
  datestyle: `'SQL, DMY'`,
  client_encoding: `'LATIN1'`,
  standard_conforming_strings: 'off',
  default_transaction_isolation: `'repeatable read'`,
  statement_timeout: `'1h'`,
  idle_in_transaction_session_timeout: '0',
  lock_timeout: `'7s'`,
  jit: 'on',
};

async function withPool<T>(url: string, work: (pool: Pool) => Promise<T>, name = 'session test'): Promise<T> {
  const pool = createPool(url, name);
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}

const withOptions = (url: string, query: Record<string, string>): string =>
  `${url}?${Object.entries(query)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')}`;

describe('the session of a connection', () => {
  let database: TestDatabase;
  let name: string;
  beforeAll(async () => {
    database = await createTestDatabase();
    name = new URL(database.url).pathname.slice(1);
    for (const [setting, value] of Object.entries(OTHER_DEFAULTS))
      await database.pool.query(`alter database ${name} set ${setting} = ${value}`);
    await database.pool.query('create schema app');
  });
  afterAll(() => database.drop());

  it('is what is needed, whatever the defaults of the database are, beside what the URL asks for', async () => {
    const url = withOptions(database.url, { options: '-c search_path=app,public -c work_mem=5MB' });
    await withPool(url, async (pool) => {
      for (const [setting, value] of SESSION_NEEDS)
        expect((await pool.query<Record<string, string>>(`show ${setting}`)).rows).toEqual([
          { [setting === 'datestyle' ? 'DateStyle' : setting === 'timezone' ? 'TimeZone' : setting]: value },
        ]);
      const { rows } = await pool.query(
        `select current_setting('search_path') as path, current_setting('work_mem') as memory,
                current_setting('transaction_isolation') as isolation, timestamptz '2026-01-31 12:00:00+02' as instant`,
      );
      expect(rows).toEqual([
        { path: 'app,public', memory: '5MB', isolation: 'read committed', instant: '2026-01-31T10:00:00.000Z' },
      ]);
    });
  });

  it.each([
    ['timezone', '-c timezone=Europe/Berlin', /its options set timezone to 'Europe\/Berlin'/],
    ['a missing schema', '-c search_path=nowhere', /search_path is 'nowhere', which names no schema/],
    ['an unknown setting', '-c no_such_setting=1', /refuses a setting of its options: .*no_such_setting/],
    ['an invalid value', '-c work_mem=much', /refuses a setting of its options: .*work_mem/],
    ['a setting of the server', '-c max_connections=7', /refuses a setting of its options: .*max_connections/],
  ])('is refused in one sentence because of %s, and doctor says the same', async (_what, options, sentence) => {
    const url = withOptions(database.url, { options });
    const refused = async () => withPool(url, (pool) => pool.query('select 1'));
    const error = await refused().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ message: expect.stringMatching(sentence) as string });
    expect([isRefusedSession(error), classifyPgError(error)]).toEqual([true, 'unavailable']);
    await expect(hasPendingMigrations(url)).rejects.toThrow(sentence);
    expect(await checkPostgres(url, { INSTALLATION_KEY: [], DESTINATIONS_SECRET_KEY: [] })).toEqual([
      { what: 'postgres', severity: 'problem', sentence: expect.stringMatching(sentence) as string },
    ]);
  });

  it('is refused in a database with another encoding', async () => {
    const latin = `${name}_latin1`;
    await database.pool.query(`create database ${latin} template template0 encoding 'LATIN1' locale 'C'`);
    try {
      const url = database.url.replace(name, latin);
      await expect(withPool(url, (pool) => pool.query('select 1'))).rejects.toThrow(/server_encoding .* LATIN1/);
    } finally {
      await database.pool.query(`drop database ${latin} with (force)`);
    }
  });

  it.each(['sslrootcert', 'sslcert', 'sslkey'])('is refused if the file of %s cannot be read', (option) => {
    const url = withOptions(database.url, { [option]: '/does/not/exist' });
    expect(() => createPool(url, 'test')).toThrow(`DATABASE_URL: the file of ${option} cannot be read (ENOENT)`);
  });

  it.each(['billing', 'ü'.repeat(60)])('keeps our name before the name %s of the URL', async (theirs) => {
    const ours = applicationNameOf(['api', 'publisher', 'worker']);
    const url = withOptions(database.url, { application_name: theirs });
    await withPool(
      url,
      async (pool) => {
        const { rows } = await pool.query<{ name: string; old: boolean }>(
          `select application_name as name, ${IS_OF_EARLIER_BUILD} as old from pg_stat_activity where pid = pg_backend_pid()`,
        );
        expect(rows).toMatchObject([{ old: false }]);
        expect(rows[0]?.name).toMatch(/^streamforge api,publisher,worker \+revisions ./);
      },
      ours,
    );
  });

  it('is never taken for one behind a pooler if there is none: the client stays as pg made it', async () => {
    await withPool(database.url, async (pool) => {
      const clients = await Promise.all(Array.from({ length: 10 }, () => pool.connect()));
      expect(clients.filter((client) => keepsNoState(client) || Object.hasOwn(client, 'query'))).toEqual([]);
      for (const client of clients) client.release();
    });
  });
});
