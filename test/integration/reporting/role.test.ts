import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { givenEvent } from '../../support/rows';

const DOCUMENT = readFileSync(path.resolve(__dirname, '../../../docs/reporting.md'), 'utf8');
const [ROLE = '', ...EXAMPLES] = [...DOCUMENT.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql]) => sql as string);

const INSUFFICIENT_PRIVILEGE = '42501';

describe('the role streamforge_reporting, created with the SQL of docs/reporting.md', () => {
  let database: TestDatabase;
  let reader: Client;
  beforeAll(async () => {
    database = await createTestDatabase();
    await givenEvent(database.pool);
    await database.pool.query(ROLE);
    const url = new URL(database.url);
    url.username = 'streamforge_reporting';
    reader = new Client({ connectionString: url.href });
    await reader.connect();
  });
  afterAll(async () => {
    await reader.end();
    await database.pool.query('drop owned by streamforge_reporting; drop role streamforge_reporting');
    await database.drop();
  });

  /** 'read', or the SQLSTATE of the refusal. */
  const trying = async (sql: string): Promise<string> => {
    try {
      await reader.query(sql);
      return 'read';
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const relations = async (schema: string): Promise<string[]> => {
    const { rows } = await database.pool.query<{ name: string }>(
      `select format('%I.%I', nspname, relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where nspname = $1 and relkind in ('r', 'p', 'v', 'm', 'S') order by 1`,
      [schema],
    );
    return rows.map(({ name }) => name);
  };

  it('can read every view', async () => {
    const views = await relations('reporting');
    expect(views).toHaveLength(6);
    for (const view of views) expect([view, await trying(`select * from ${view}`)]).toEqual([view, 'read']);
    const { rows } = await reader.query('select status from reporting.events');
    expect(rows).toEqual([{ status: 'RECEIVED' }]);
  });

  it('can run the examples of docs/reporting.md', async () => {
    expect(EXAMPLES.length).toBeGreaterThanOrEqual(3);
    for (const example of EXAMPLES) expect([example, await trying(example)]).toEqual([example, 'read']);
  });

  it('cannot read anything else', async () => {
    const tables = await relations('public');
    expect(tables).toEqual(expect.arrayContaining(['public.events', 'public.event_status', 'public.destinations']));
    for (const table of tables) {
      expect([table, await trying(`select * from ${table}`)]).toEqual([table, INSUFFICIENT_PRIVILEGE]);
    }
  });

  it('cannot write, even in a transaction that it made writable', async () => {
    await reader.query('set default_transaction_read_only = off');
    for (const statement of [
      "update reporting.rejections set code = ''",
      'insert into reporting.rejections select * from reporting.rejections',
      'delete from reporting.rejections',
      'create view reporting.more as select 1',
      'create table public.more (id integer)',
      `select nextval('outbox_id_seq')`,
    ]) {
      expect([statement, await trying(statement)]).toEqual([statement, INSUFFICIENT_PRIVILEGE]);
    }
  });

  it('can read views that later migrations create', async () => {
    await database.pool.query('create view reporting.later as select tenant_id from events');
    await expect(trying('select * from reporting.later')).resolves.toBe('read');
  });

  it('cannot run a query for longer than a minute or keep a transaction open', async () => {
    const { rows } = await reader.query(
      `select current_setting('statement_timeout') as statement,
              current_setting('idle_in_transaction_session_timeout') as idle`,
    );
    expect(rows).toEqual([{ statement: '1min', idle: '1min' }]);
  });
});
