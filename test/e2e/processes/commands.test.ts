import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { extendChain } from '../../../src/audit/extend-chain';
import { inTransaction } from '../../../src/db/pool';
import { pastTheTriggers } from '../../support/audit';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { statusCounts } from '../../support/processes/e2e-cluster';
import { freePort } from '../../support/processes/free-port';
import { createTestVhost, type TestVhost } from '../../support/broker/rabbit';
import { countRows } from '../../support/rows';

const DIST = path.resolve(__dirname, '../../../dist/src/commands');

describe('the command', () => {
  let database: TestDatabase;
  let vhost: TestVhost;
  let env: Record<string, string>;
  const directory = mkdtempSync(path.join(os.tmpdir(), 'streamforge-commands-')); // without a .env
  beforeAll(async () => {
    [database, vhost] = await Promise.all([createTestDatabase({ migrated: false }), createTestVhost()]);
    env = {
      DATABASE_URL: database.url,
      REDIS_URL: process.env.TEST_REDIS_URL as string,
      RABBITMQ_URL: vhost.url,
      PORT: String(await freePort()),
    };
  });
  afterAll(async () => {
    rmSync(directory, { recursive: true });
    await Promise.all([database.drop(), vhost.drop()]);
  });

  const run = (command: string, args: string[] = [], more: Record<string, string> = {}) =>
    new Promise<{ code: number | null; output: string }>((resolve) => {
      const child = spawn(process.execPath, [path.join(DIST, `${command}.js`), ...args], {
        cwd: directory,
        env: { PATH: process.env.PATH, ...env, ...more },
      });
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.once('close', (code) => resolve({ code, output }));
    });

  it.each([
    ...['migrate', 'prune-idempotency', 'seed', 'doctor', 'openapi', 'demo-receiver', 'keys', 'reseal'],
    ...['audit-verify', 'installation', '../main'],
  ])('%s prints its usage with --help and refuses an unknown option with exit code 2', async (command) => {
    const help = await run(command, ['--help']);
    expect(help.code).toBe(0);
    expect(help.output).toMatch(/^Usage: (npm|node) .*\[options\]\n\n[^]*\n {2}--help +print this text\n$/);
    const wrong = await run(command, ['--no-such-option']);
    expect(wrong.code).toBe(2);
    expect(wrong.output).toMatch(/^Unknown option '--no-such-option'/);
    expect(wrong.output.endsWith(help.output)).toBe(true);
  });

  it('demo-receiver refuses an invalid value', async () => {
    for (const args of [
      ['--port', 'http'],
      ['--status', '99'],
      ['--times', '0', '--fail'],
      ['--secret', 'whsec_!'],
    ]) {
      const { code, output } = await run('demo-receiver', args);
      expect([code, output.split(/[ :]/)[0]]).toEqual([2, args[0]]);
    }
  });

  it('keys says what to do when the database has no tables yet', async () => {
    const { code, output } = await run('keys', ['list']);
    expect([code, output]).toEqual([1, expect.stringMatching(/Run npm run migrate\.\n$/)]);
  });

  it('migrate --status and --dry-run list the missing migrations, and doctor names the fix', async () => {
    expect(await run('migrate', ['--status'])).toMatchObject({
      code: 1,
      output: expect.stringContaining('pending  InitialSchema1764000000000') as string,
    });
    const dry = await run('migrate', ['--dry-run']);
    expect(dry.code).toBe(0);
    expect(dry.output).toContain('create table events (');
    expect(dry.output).toContain('nothing was changed');
    const doctor = await run('doctor');
    expect(doctor.code).toBe(1);
    expect(doctor.output).toMatch(/PROBLEM {2}schema .*run npm run migrate\./);
    expect((await run('migrate')).output).toContain('Ran InitialSchema1764000000000');
    expect(await run('migrate', ['--status'])).toMatchObject({ code: 0 });
  });

  it('doctor checks every dependency and names each one that is down', async () => {
    const { output } = await run('doctor');
    for (const what of ['node', 'settings', 'schema', 'redis'])
      expect(output).toMatch(new RegExp(`^ok +${what} `, 'm'));
    expect(output).toMatch(/rabbitmq +there is no queue events\.main yet/);
    const nowhere = `127.0.0.1:${await freePort()}`;
    const gone = await run('doctor', [], {
      DATABASE_URL: `postgres://x@${nowhere}/x`,
      REDIS_URL: `redis://${nowhere}`,
      RABBITMQ_URL: `amqp://${nowhere}`,
      MAX_RETRY_ATTEMPTS: 'many',
    });
    expect(gone.code).toBe(1);
    expect(gone.output).toContain('problems: 4');
    for (const what of ['settings', 'postgres', 'redis', 'rabbitmq']) {
      expect(gone.output).toMatch(new RegExp(`^PROBLEM +${what} `, 'm'));
    }
  });

  it('keys creates, lists and revokes a key, and registers its tenant', async () => {
    const made = await run('keys', ['create', '--tenant', 'till', '--name', 'first', '--scopes', 'ingest']);
    expect(made.code).toBe(0);
    expect(made.output).toContain('The tenant till is registered.');
    const [text, id] = /^sfk_([0-9A-Za-z]{12})_\w{49}$/m.exec(made.output) ?? [];
    expect(text).toBeDefined();
    const expires = '2036-01-31T12:00:00Z';
    const second = ['create', '--tenant', 'till', '--name', 'second', '--expires', expires, '--allow', '10.0.0.0/8'];
    expect((await run('keys', second)).output).not.toContain('registered');
    const listed = await run('keys', ['list', '--tenant', 'till']);
    expect(listed.output).toMatch(new RegExp(`^${id}  valid +ingest +till  first  \\(never used\\)$`, 'm'));
    expect(listed.output).toMatch(/expires 2036-01-31T12:00:00\.000Z +ingest,read +till {2}second/);
    expect(listed.output).not.toContain(text?.slice(17, 40));
    expect(await run('keys', ['revoke', id as string])).toMatchObject({ code: 0 });
    expect((await run('keys', ['list'])).output).toMatch(new RegExp(`^${id}  revoked `, 'm'));
    const { rows } = await database.pool.query('select actor, action from admin_audit order by id');
    expect(rows).toEqual(
      ['tenant.create', 'key.create', 'key.create', 'key.revoke'].map((action) => ({ actor: 'cli', action })),
    );
    expect(await run('keys', ['list', '--tenant', 'nobody'])).toEqual({ code: 0, output: 'There are no keys.\n' });
  });

  it('audit-verify names what was changed past the triggers, and exits with 1', async () => {
    const clean = await run('audit-verify');
    expect(clean).toEqual({ code: 0, output: expect.stringContaining('Nothing was changed') as string });
    await inTransaction(database.pool, extendChain);
    await pastTheTriggers(database.pool, `update admin_audit set actor = 'mallory' where action = 'tenant.create'`);
    const { code, output } = await run('audit-verify');
    expect(code).toBe(1);
    expect(output).toMatch(/^admin_audit [0-9a-f-]{36} was changed\.$/m);
    expect((await run('doctor')).output).toMatch(/^PROBLEM +audit +admin_audit [0-9a-f-]{36} was changed/m);
    await pastTheTriggers(database.pool, `update admin_audit set actor = 'cli' where action = 'tenant.create'`);
    expect((await run('audit-verify')).code).toBe(0);
    expect((await run('audit-verify', ['--known', 'x:1'])).code).toBe(2);
    const foreign = await run('audit-verify', ['--known', `9:${'0'.repeat(64)}`]);
    expect(foreign).toMatchObject({ code: 1, output: expect.stringContaining('audit_chain 9 was removed') as string });
  });

  it('reseal seals with the first key, and says what it has done', async () => {
    const env = { DESTINATIONS_SECRET_KEY: randomBytes(32).toString('base64') };
    expect(await run('reseal', ['--dry-run'], env)).toMatchObject({ code: 0 });
    const { code, output } = await run('reseal', [], env);
    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringMatching(/^\d+ secrets had the first key/m) as string,
    });
  });

  it.each([
    [2, [], /^Say create, list, or revoke/],
    [2, ['delete'], /^There is no action delete/],
    [2, ['revoke'], /^Say create, list, or revoke/],
    [2, ['create', '--tenant', 'till'], /^create needs --tenant and --name/],
    [2, ['create', '--tenant', 'no spaces', '--name', 'x'], /^id must be a tenant id/],
    [2, ['create', '--tenant', 'till', '--name', 'x', '--scopes', 'admin'], /^each value in scopes/],
    [2, ['create', '--tenant', 'till', '--name', 'x', '--expires', '2020-01-01T00:00:00Z'], /^expiresAt must be/],
    [1, ['create', '--tenant', 'streamforge', '--name', 'x'], /^The tenant streamforge is reserved/],
    [1, ['revoke', 'unknown'], /^No API key has the id unknown/],
  ])('keys exits with %i for %j', async (code, args, output) => {
    expect(await run('keys', args)).toEqual({ code, output: expect.stringMatching(output) as string });
  });

  it('seed creates a demo tenant with events of several types and dead letters, once', async () => {
    for (const accepted of [87, 0]) {
      const { code, output } = await run('seed');
      expect({ code, output }).toMatchObject({ code: 0 });
      expect(output).toContain(`${accepted} events accepted`);
      if (accepted > 0) expect(output).toMatch(/^API key of the tenant demo, shown only now: sfk_\w+$/m);
      else expect(output).toMatch(/^The tenant demo has the API key \w{12}, which was printed/m);
      expect(await statusCounts(database.pool, 'demo')).toEqual({ COMPLETED: 80, DLQ: 7 });
    }
    // The dead letters come from deliveries, not from rows that the command wrote.
    await expect(countRows(database.pool, `deliveries where tenant_id = 'demo' and status = 'FAILED'`)).resolves.toBe(
      7,
    );
    await expect(countRows(database.pool, `delivery_attempts where reason_code = 'HTTP_4XX'`)).resolves.toBe(7);
    await expect(countRows(database.pool, `destinations where tenant_id = 'demo'`)).resolves.toBe(1);
    await expect(countRows(database.pool, `usage_daily where tenant_id = 'demo'`)).resolves.toBeGreaterThanOrEqual(4);
    expect((await run('doctor')).output).toMatch(/^ok +rabbitmq /m);
  });

  it('seed works where every producer needs a key, and adds one only for its own run', async () => {
    const { code, output } = await run('seed', [], { TENANT_AUTH: 'key' });
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toMatch(/^API key of the tenant demo, shown only now: sfk_\w+$/m);
    expect(output).toContain('0 events accepted, 87 already there');
    await expect(countRows(database.pool, `api_keys where tenant_id = 'demo' and expires_at is null`)).resolves.toBe(1);
  });
});
