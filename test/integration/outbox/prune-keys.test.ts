import { Logger } from '@nestjs/common';
import { execFile } from 'node:child_process';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { pruneKeys, type PruneProgress } from '../../../src/db/retention/prune-keys';
import { KeyPruning } from '../../../src/outbox/key-pruning';
import { storeBatch } from '../../../src/ingest/store/store-batch';
import { testSettings } from '../../support/app';
import { prepared } from '../../support/events';
import { useDatabase } from '../../support/fixtures/database';
import { countRows } from '../../support/rows';

const ROOT = path.resolve(__dirname, '../../..');

const database = useDatabase();
beforeAll(() => {
  Logger.overrideLogger(false);
});
beforeEach(async () => {
  await database.pool.query('truncate idempotency_keys');
});

const givenKeys = (count: number, ageDays: number) =>
  database.pool.query(
    `insert into idempotency_keys (digest, event_id, fingerprint, created_at)
     select sha256(gen_random_uuid()::text::bytea), gen_random_uuid(), '\\x00', now() - make_interval(days => $2)
       from generate_series(1, $1)`,
    [count, ageDays],
  );
const keys = (): Promise<number> => countRows(database.pool, 'idempotency_keys');
const steps = async (options: { retentionDays: number; dryRun?: boolean }): Promise<PruneProgress[]> => {
  const all: PruneProgress[] = [];
  for await (const step of pruneKeys(database.pool, options)) all.push(step);
  return all;
};

describe('idempotency keys', () => {
  it('are deleted past their retention, in bounded steps, and kept before', async () => {
    for (let i = 0; i < 4; i++) {
      await givenKeys(15_000, 91);
      await givenKeys(5_000, 89);
    }
    const all = await steps({ retentionDays: 90 });
    expect(all.length).toBeGreaterThan(1);
    expect(all.at(-1)).toMatchObject({ expired: 60_000, pagesDone: all[0]?.pagesTotal });
    await expect(keys()).resolves.toBe(20_000);
    expect((await steps({ retentionDays: 90 })).at(-1)?.expired).toBe(0);
  });

  it('are only counted by a dry run', async () => {
    await givenKeys(100, 91);
    expect((await steps({ retentionDays: 90, dryRun: true })).at(-1)?.expired).toBe(100);
    await expect(keys()).resolves.toBe(100);
  });

  it('can be used again after they were deleted: the same content becomes a new event', async () => {
    const event = prepared({ subject: 'once' });
    await storeBatch(database.pool, [event]);
    await database.pool.query(`update idempotency_keys set created_at = now() - interval '91 days'`);
    await steps({ retentionDays: 90 });
    const [outcome] = await storeBatch(database.pool, [prepared({ subject: 'once' })]);
    expect(outcome?.kind).toBe('accepted');
  });

  it('are pruned by the chores in small steps, with a long pause after each walk', async () => {
    await givenKeys(200, 91);
    await givenKeys(10, 1);
    const pruning = new KeyPruning(testSettings(), database.pool);
    expect(await pruning.runOnce()).toBeLessThan(1_000);
    expect(await pruning.runOnce()).toBeGreaterThan(60_000);
    await expect(keys()).resolves.toBe(10);
  });
});

describe('npm run prune:idempotency', () => {
  const prune = (...args: string[]) =>
    promisify(execFile)(process.execPath, [path.join(ROOT, 'dist/src/commands/prune-idempotency.js'), ...args], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, DATABASE_URL: database.url },
    });

  it('reports progress and result, and changes nothing with --dry-run', async () => {
    await givenKeys(3_000, 91);
    await givenKeys(2_000, 40);
    const dry = await prune('--dry-run');
    expect(dry.stdout).toMatch(/% of \d+ pages, 3000 expired keys so far/);
    expect(dry.stdout).toMatch(
      /^3000 idempotency keys older than 90 days would be deleted \(dry run, nothing changed\)/m,
    );
    await expect(keys()).resolves.toBe(5_000);
    expect((await prune()).stdout).toMatch(/^3000 idempotency keys older than 90 days deleted, in [\d.]+ s\.$/m);
    await expect(keys()).resolves.toBe(2_000);
    expect((await prune('--days', '30')).stdout).toMatch(/^2000 idempotency keys older than 30 days deleted/m);
    await expect(keys()).resolves.toBe(0);
  });

  it('refuses an unknown option and an invalid number of days', async () => {
    await expect(prune('--days', 'all')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^--days .*\n\nUsage: /) as string,
    });
    await expect(prune('--force')).rejects.toMatchObject({ code: 2 });
  });
});
