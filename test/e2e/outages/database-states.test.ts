import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { ask } from '../../support/access/access-admin';
import { createdSource, type SourceBody } from '../../support/admin-sources';
import { call, expectProblem, getEvent, postEvent, postStream, type ProblemAnswer } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { OwnServer, rowsOf } from '../../support/processes/e2e-own-servers';
import { startProcess, type TestProcess } from '../../support/processes/process';

interface ReadyBody {
  status: string;
  checks: { postgres: { status: string; message?: string } };
}

/** A state of the database in which no statement can be carried out although nothing is wrong with it. */
interface State {
  name: string;
  begin: () => Promise<unknown>;
  end: () => Promise<unknown>;
  /** What /ready says, and with which status. */
  ready: [status: number, message: RegExp];
  /** The class in the log. */
  logged: string;
  /** Whether events can still be read. */
  reads?: true;
}

/** A busy machine, and the connections that the pool makes again. */
const SOON_MS = 30_000;

describe('an api whose database is in a state of its own', () => {
  let postgres: OwnServer;
  let directory: string;
  let passwordFile: string;
  let api: TestProcess;
  let source: SourceBody;
  let sent = 0;

  const sql = (text: string) => rowsOf(postgres.url, text);
  /** Over a database that is never renamed. */
  const outside = (text: string) => rowsOf(postgres.url.replace(/\/postgres$/, '/template1'), text);
  const endSessions = () => outside(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'`);
  const line = (): string => syntheticEvents(1, `state-${(sent += 1)}`)[0]?.line as string;
  const post = () => postEvent(api.url, 'acme', line());
  const ready = () => call<ReadyBody>(`${api.url}/ready`);
  const acceptsAgain = () => eventually(async () => expect((await post()).status).toBe(202), SOON_MS);

  beforeAll(async () => {
    postgres = await OwnServer.postgres();
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-password-'));
    passwordFile = path.join(directory, 'password');
    fs.writeFileSync(passwordFile, 'öne %41\n');
    const [hba] = await rowsOf<{ file: string }>(postgres.url, `select current_setting('hba_file') as file`);
    const rules = fs.readFileSync(hba?.file as string, 'utf8');
    fs.writeFileSync(hba?.file as string, `host all app 127.0.0.1/32 scram-sha-256\n${rules}`);
    await sql(`create role app login password 'öne %41'`);
    await sql('grant select, insert, update, delete on all tables in schema public to app');
    await sql('grant usage on all sequences in schema public to app');
    await sql('select pg_reload_conf()');
    const url = postgres.url.replace('postgres@', 'app@');
    api = await startProcess({ APP_ROLE: 'api', DATABASE_URL: url, DATABASE_PASSWORD_FILE: passwordFile });
    source = await createdSource(api.url, {
      verification: { scheme: 'none' },
      allowUnverified: true,
      tenantId: 'acme',
    });
  }, 120_000);
  afterAll(async () => {
    await api?.end('SIGKILL');
    await postgres?.stop();
    fs.rmSync(directory, { recursive: true, force: true });
  });

  const STATES: State[] = [
    {
      name: 'it is read-only',
      begin: async () => {
        await sql('alter system set default_transaction_read_only = on');
        await sql('select pg_reload_conf()');
      },
      end: async () => {
        await sql('alter system reset default_transaction_read_only');
        await sql('select pg_reload_conf()');
      },
      ready: [503, /^is read-only$/],
      logged: 'read-only',
      reads: true,
    },
    {
      name: 'the password of the role is rotated',
      begin: async () => {
        await sql(`alter role app password 'two'`);
        await endSessions();
      },
      end: () => Promise.resolve(fs.writeFileSync(passwordFile, 'two')),
      ready: [503, /^refuses the user or password$/],
      logged: 'access-refused',
    },
    {
      name: 'a right on a table that every event needs is missing',
      begin: () => sql('revoke insert on outbox from app'),
      end: () => sql('grant insert on outbox to app'),
      ready: [503, /^refuses rights that this role needs on 1 tables$/],
      logged: 'right-missing',
      reads: true,
    },
    {
      name: 'a table is being replaced',
      begin: () => sql('alter table events rename to events_of_yesterday'),
      end: () => sql('alter table events_of_yesterday rename to events'),
      ready: [503, /^lacks 1 tables that this role needs$/],
      logged: 'being-replaced',
    },
    {
      name: 'a unique index is not restored yet',
      begin: () => sql('alter table idempotency_keys drop constraint idempotency_keys_pkey'),
      end: () => sql('alter table idempotency_keys add primary key (digest)'),
      ready: [200, /^some statements fail: it lacks the database or a part of it$/],
      logged: 'being-replaced',
      reads: true,
    },
    {
      name: 'the database takes no connections and is then renamed',
      begin: async () => {
        await outside('alter database postgres allow_connections false');
        await endSessions();
        expectProblem(await post(), 503, 'storage-unavailable');
        await outside('alter database postgres rename to restored');
      },
      end: async () => {
        await outside('alter database restored rename to postgres');
        await outside('alter database postgres allow_connections true');
      },
      ready: [503, /^lacks the database or a part of it$/],
      logged: 'being-replaced',
    },
    {
      name: 'no connection is left for the role',
      begin: async () => {
        await sql('alter role app connection limit 0');
        await endSessions();
      },
      end: () => sql('alter role app connection limit -1'),
      ready: [503, /^has no free connection$/],
      logged: 'no-connections',
    },
    {
      // PostgreSQL itself raises it: a test cannot fill a disk everywhere that it runs.
      name: 'its disk is full',
      begin: async () => {
        await sql(`create function disk_is_full() returns trigger language plpgsql as
          $$ begin raise exception using errcode = '53100', message = 'could not extend file: No space left'; end $$`);
        await sql(`create trigger full_disk before insert on outbox for each row execute function disk_is_full()`);
      },
      end: () => sql('drop function disk_is_full() cascade'),
      ready: [503, /^has no disk space$/],
      logged: 'disk-full',
      reads: true,
    },
  ];

  it.each(STATES)(
    'answers 503, says so in /ready and in one line of the log, and goes on afterwards: $name',
    async ({ begin, end, ready: [readyStatus, message], logged, reads }) => {
      const accepted = await post();
      expect(accepted.status).toBe(202);
      const before = linesOf(api, logged).length;
      await begin();
      await eventually(async () => expect((await post()).status).toBe(503), SOON_MS);

      const refused = [
        ...(await Promise.all(Array.from({ length: 10 }, post))),
        await call(source.url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ type: 'x', id: `hook-${(sent += 1)}` }),
        }),
        await ask(api.url, 'POST', 'tenants', { body: { id: `t${(sent += 1)}`, name: 'x' } }),
      ].filter(({ status }) => status !== 201); // a change that does not touch the table
      for (const answer of refused) {
        expect(expectProblem(answer, 503, 'storage-unavailable').retryable).toBe(true);
        expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      }
      const read = await getEvent(api.url, 'acme', accepted.body.id);
      expect(read.status).toBe(reads ? 200 : 503);
      await eventually(async () => {
        const { status, body } = await ready();
        expect([status, body.checks.postgres.message]).toEqual([readyStatus, expect.stringMatching(message)]);
      }, SOON_MS);

      await end();
      await acceptsAgain();
      await eventually(async () => expect((await ready()).body.status).not.toBe('not-ready'), SOON_MS);
      expect(linesOf(api, logged).length - before).toBeLessThanOrEqual(2); // of a minute, or of two
      expect(linesOf(api, logged).length).toBeGreaterThanOrEqual(1);
      expect(api.output()).not.toContain('"stack"');
    },
    120_000,
  );

  it('ends a stream with what is committed, and takes it again afterwards', async () => {
    const events = syntheticEvents(2_000, 'stream-of-states');
    const body = new Readable({ read: () => undefined });
    const answer = postStream<ProblemAnswer>(api.url, 'streaming', body);
    body.push(toNdjson(events.slice(0, 1_000)));
    const stored = () => rowsOf<{ n: number }>(postgres.url, STORED);
    await eventually(async () => expect(await stored()).toEqual([{ n: 1_000 }]), SOON_MS);
    await sql('revoke insert on outbox from app');
    body.push(toNdjson(events.slice(1_000)));
    body.push(null);
    const problem = expectProblem(await answer, 503, 'storage-unavailable');
    expect(problem).toMatchObject({ summary: { records: 1_000, accepted: 1_000 }, lastCommittedRecord: 1_000 });
    await sql('grant insert on outbox to app');
    await acceptsAgain();
    const { summary } = (await postStream(api.url, 'streaming', toNdjson(events))).body;
    expect(summary).toMatchObject({ records: 2_000, accepted: 1_000, duplicates: 1_000, rejected: 0 });
  }, 60_000);

  it('answers 500 only to faults of a statement, and is ready in the end', async () => {
    await eventually(async () => expect((await ready()).body).toMatchObject({ status: 'ready' }), SOON_MS);
    await sql('alter table outbox rename column destination to target');
    await eventually(async () => expectProblem(await post(), 500, 'internal-error'), SOON_MS);
    await sql('alter table outbox rename column target to destination');
    await acceptsAgain();
  }, 90_000);
});

const STORED = `select count(*)::int as n from events where tenant_id = 'streaming'`;

/** The lines of the log about a class of failures. */
const linesOf = (api: TestProcess, logged: string): string[] =>
  api
    .output()
    .split('\n')
    .filter((text) => text.includes('"msg":"PostgreSQL ') && text.includes(`"class":"${logged}"`));
