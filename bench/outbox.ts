/**
 * npm run bench:outbox [-- --rows 1000000 --only 3,5]
 *
 * Compares layouts of the outbox on the same PostgreSQL. Inserts, claims and closes entries in batches, as ingest and
 * publisher do. For each layout, at 0, 100 k and 1 M published entries, it reports the cost of 20 000 more entries: WAL
 * bytes, HOT share of the updates, dead tuples, and the time of one claim of 1000. It also times the claim while one old
 * entry waits for its next attempt, and while an old transaction (a backup) prevents the removal of dead rows.
 */
import '../src/runtime/require-node.js';
import '../scripts/print-help.mjs';
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { command } from '#bench/cleanup';
import { BenchServer } from '#bench/databases';
import { positive } from '#bench/options';
import { LAYOUTS, type Layout } from '#bench/outbox-layouts';
import { table } from '#bench/report';
import { quantile } from '#bench/statistics';

const INSERT_BATCH = 500;
const CLAIM = 1_000;
const MEASURED = 20_000;

interface Stage {
  published: number;
  walBytes: number;
  hotShare: number;
  deadTuples: number;
  claimMs: number;
}

interface Result {
  stages: Stage[];
  claimMsOldEntryWaits: number;
  claimMsOldSnapshot: number;
}

/** Runs entries through one layout. Tracks the floor, the lowest id that may be open, as a publisher would. */
class Run {
  private floor = '0';
  private readonly layout: Layout;
  private readonly db: Client;

  constructor(layout: Layout, db: Client) {
    this.layout = layout;
    this.db = db;
  }

  async entries(count: number): Promise<number[]> {
    const claimMs: number[] = [];
    for (let done = 0; done < count; done += CLAIM) {
      for (let i = 0; i < CLAIM; i += INSERT_BATCH) await this.query('insert', [INSERT_BATCH]);
      const token = randomUUID();
      const startedMs = performance.now();
      const { rows } = await this.query('claim', [token, CLAIM, this.floor]);
      claimMs.push(performance.now() - startedMs);
      const ids = rows.map(({ id }) => id);
      await this.query('close', [token, ids]);
      if (!this.floorIsHeld) this.floor = ids.reduce((a, b) => (BigInt(a) > BigInt(b) ? a : b), this.floor);
    }
    return claimMs;
  }

  floorIsHeld = false;

  async holdFloor(): Promise<void> {
    this.floorIsHeld = true;
    this.floor = '0';
    await this.db
      .query(`update outbox set status = 'PENDING', closed_at = null, next_attempt_at = now() + interval '1 hour'
                          where id = (select min(id) from outbox)`);
  }

  private query(step: 'insert' | 'claim' | 'close', values: unknown[]) {
    return this.db.query<{ id: string }>({ name: step, text: this.layout[step], values });
  }
}

async function measured(run: Run, db: Client, published: number): Promise<Stage> {
  const before = await counters(db);
  const claims = (await run.entries(MEASURED)).sort((a, b) => a - b);
  const after = await counters(db);
  const updates = after.updated - before.updated;
  return {
    published,
    walBytes: (after.wal - before.wal) / MEASURED,
    hotShare: (after.hot - before.hot) / updates,
    deadTuples: after.dead,
    claimMs: quantile(claims, 0.5),
  };
}

async function counters(db: Client) {
  await db.query('select pg_stat_force_next_flush()');
  const { rows } = await db.query<Record<'wal' | 'updated' | 'hot' | 'dead', string>>(
    `select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as wal, n_tup_upd as updated, n_tup_hot_upd as hot,
            n_dead_tup as dead from pg_stat_user_tables where relname = 'outbox'`,
  );
  const row = rows[0] as Record<'wal' | 'updated' | 'hot' | 'dead', string>;
  return { wal: Number(row.wal), updated: Number(row.updated), hot: Number(row.hot), dead: Number(row.dead) };
}

async function measure(layout: Layout, url: string, rows: number): Promise<Result> {
  const db = new Client({ connectionString: url });
  const reader = new Client({ connectionString: url });
  await Promise.all([db.connect(), reader.connect()]);
  try {
    for (const statement of layout.tables) await db.query(statement);
    const run = new Run(layout, db);
    await run.entries(CLAIM * 2); // warms up plans and catalogue
    const stages: Stage[] = [];
    for (const published of [0, rows / 10, rows]) {
      await run.entries(published - (stages.at(-1)?.published ?? 0));
      await db.query('vacuum analyze outbox');
      stages.push(await measured(run, db, published));
    }
    await reader.query('begin isolation level repeatable read');
    await reader.query('select count(*) from outbox');
    await run.entries(50_000);
    const claimMsOldSnapshot = median(await run.entries(CLAIM * 10));
    await reader.query('rollback');
    await db.query('vacuum outbox');
    let claimMsOldEntryWaits = Number.NaN;
    if (layout.keepsRows) {
      await run.holdFloor();
      claimMsOldEntryWaits = median(await run.entries(CLAIM * 5));
    }
    return { stages, claimMsOldEntryWaits, claimMsOldSnapshot };
  } finally {
    await Promise.all([db.end(), reader.end()]);
  }
}

const median = (values: number[]): number =>
  quantile(
    values.sort((a, b) => a - b),
    0.5,
  );
const fixed = (value: number, digits: number): string => (Number.isNaN(value) ? '–' : value.toFixed(digits));

function report(layouts: readonly Layout[], results: readonly Result[]): string {
  const head = ['layout', 'published', 'WAL bytes', 'HOT', 'dead', 'claim ms', 'old entry waits', 'old snapshot'];
  const lines = results.flatMap(({ stages, claimMsOldEntryWaits, claimMsOldSnapshot }, i) =>
    stages.map(({ published, walBytes, hotShare, deadTuples, claimMs }, stage) => {
      const last = stage === stages.length - 1;
      return [
        stage === 0 ? (layouts[i]?.name ?? '') : '',
        String(published),
        fixed(walBytes, 0),
        `${fixed(hotShare * 100, 0)} %`,
        String(deadTuples),
        fixed(claimMs, 1),
        last ? fixed(claimMsOldEntryWaits, 1) : '',
        last ? fixed(claimMsOldSnapshot, 1) : '',
      ];
    }),
  );
  return table([head, ...lines]);
}

await command(async (atEnd) => {
  const { values } = parseArgs({
    options: { rows: { type: 'string', default: '1000000' }, only: { type: 'string', default: '' } },
  });
  const rows = positive('--rows', values.rows);
  const wanted = values.only.split(',').filter(Boolean).map(Number);
  const layouts = LAYOUTS.filter((_, i) => wanted.length === 0 || wanted.includes(i + 1));
  const postgres = await BenchServer.start();
  atEnd(() => postgres.stop());
  process.stdout.write(`PostgreSQL ${await postgres.version()}\n`);
  const results: Result[] = [];
  for (const [i, layout] of layouts.entries()) {
    process.stderr.write(`${i + 1} of ${layouts.length}: ${layout.name}\n`);
    const url = await postgres.createDatabase(`layout_${i}`, { migrated: false });
    results.push(await measure(layout, url, rows));
  }
  process.stdout.write(`\n${report(layouts, results)}`);
  return 0;
});
