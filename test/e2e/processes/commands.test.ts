import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
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

  it.each(['migrate', 'prune-idempotency', 'seed', 'doctor', 'openapi', 'demo-receiver', '../main'])(
    '%s prints its usage with --help and refuses an unknown option with exit code 2',
    async (command) => {
      const help = await run(command, ['--help']);
      expect(help.code).toBe(0);
      expect(help.output).toMatch(/^Usage: (npm|node) .*\[options\]\n\n[^]*\n {2}--help +print this text\n$/);
      const wrong = await run(command, ['--no-such-option']);
      expect(wrong.code).toBe(2);
      expect(wrong.output).toMatch(/^Unknown option '--no-such-option'/);
      expect(wrong.output.endsWith(help.output)).toBe(true);
    },
  );

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

  it('seed creates a demo tenant with events of several types and dead letters, once', async () => {
    for (const accepted of [86, 0]) {
      const { code, output } = await run('seed');
      expect({ code, output }).toMatchObject({ code: 0 });
      expect(output).toContain(`${accepted} events accepted`);
      expect(await statusCounts(database.pool, 'demo')).toEqual({ COMPLETED: 80, DLQ: 6 });
    }
    // The dead letters are those of a real receiver, not rows that the command wrote.
    await expect(countRows(database.pool, `dead_letters where tenant_id = 'demo'`)).resolves.toBe(6);
    await expect(countRows(database.pool, `processing_attempts where reason_code = 'HTTP_4XX'`)).resolves.toBe(6);
    await expect(countRows(database.pool, `destinations where tenant_id = 'demo'`)).resolves.toBe(1);
    await expect(countRows(database.pool, `usage_daily where tenant_id = 'demo'`)).resolves.toBeGreaterThanOrEqual(4);
    expect((await run('doctor')).output).toMatch(/^ok +rabbitmq /m);
  });
});
