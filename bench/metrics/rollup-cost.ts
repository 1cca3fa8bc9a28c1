import { setTimeout as sleep } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import type * as RollupModule from '../../src/metric-rollup/metric-rollup.js';
import type * as PoolModule from '../../src/db/pool.js';
import { compiled } from '#bench/compiled';
import { preciseCpuUs } from '#bench/deliveries/server-cpu';

const { MetricRollup } = compiled<typeof RollupModule>('metric-rollup/metric-rollup');
const { createPool } = compiled<typeof PoolModule>('db/pool');

/** Events of one transaction. */
const LAID_AT_ONCE = 60_000;
const FEED_EVERY_MS = 1_000;
/** A run that has nothing to do returns this or more. */
const IDLE_WAIT_MS = 100;

export interface MetricsLoad {
  /** Events per second. */
  rate: number;
  /** Length of the history before. */
  minutes: number;
  /** Length of the measurement. */
  seconds: number;
  /** Deliveries of each event. */
  deliveries: number;
}

/** Stores events that seem to have come at a steady rate. */
class Feed {
  private readonly client: Client;
  private readonly load: MetricsLoad;
  private untilMs: number;
  stored = 0;

  constructor(client: Client, load: MetricsLoad, fromMs: number) {
    this.client = client;
    this.load = load;
    this.untilMs = fromMs;
  }

  async store(untilMs: number): Promise<void> {
    const { rate, deliveries } = this.load;
    while (this.untilMs < untilMs) {
      const toMs = Math.min(untilMs, this.untilMs + (LAID_AT_ONCE / rate) * 1_000);
      const range = [this.untilMs, toMs].map((ms) => new Date(ms).toISOString());
      await this.client.query('select pg_temp.lay_events($1, $2, $3, $4)', [...range, rate, deliveries]);
      this.stored += ((toMs - this.untilMs) / 1_000) * rate;
      this.untilMs = toMs;
    }
  }
}

/** Prints the CPU time that the roll-up needs for an event. */
export async function measureRollup(
  url: string,
  load: MetricsLoad,
  atEnd: (step: () => Promise<unknown>) => void,
): Promise<void> {
  const client = new Client({ connectionString: url, options: '-c timezone=UTC' });
  await client.connect();
  atEnd(() => client.end());
  await client.query(readFileSync(new URL('history.sql', import.meta.url), 'utf8'));
  const pool = createPool(url, 'bench');
  Object.assign(pool.options, { max: 1, idleTimeoutMillis: 0 }); // one session, whose CPU time is read
  atEnd(() => pool.end());
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
  const cpuUs = (): number => preciseCpuUs(rows[0]?.pid);

  const fromMs = Math.floor(Date.now() / 10_000) * 10_000 - load.minutes * 60_000;
  const feed = new Feed(client, load, fromMs);
  await feed.store(Date.now());
  await feed.store(Date.now());
  process.stdout.write(`${Math.round(feed.stored)} events are stored, with ${load.deliveries} deliveries each\n`);
  await pool.query(`insert into chore_progress (name, position) values ('metric-rollup', $1)`, [fromMs / 1_000]);

  const rollup = new MetricRollup(pool);
  const caughtUpFromUs = cpuUs();
  let feeding: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    feeding = feeding.then(() => feed.store(Date.now()));
  }, FEED_EVERY_MS);
  while (Number(await rollup.runOnce()) <= IDLE_WAIT_MS);
  report('catching up', { us: cpuUs() - caughtUpFromUs, events: feed.stored });

  const until = Date.now() + load.seconds * 1_000;
  const [pgUs, ownUs, before] = [cpuUs(), process.cpuUsage(), feed.stored];
  while (Date.now() < until) await sleep(Number(await rollup.runOnce()));
  clearInterval(timer);
  await feeding;
  const events = feed.stored - before;
  report('PostgreSQL, as events come', { us: cpuUs() - pgUs, events });
  const own = process.cpuUsage(ownUs);
  report('the process, with storing the events', { us: own.user + own.system, events });
}

function report(what: string, { us, events }: { us: number; events: number }): void {
  process.stdout.write(`${what.padEnd(40)} ${(us / events).toFixed(2).padStart(7)} µs an event\n`);
}
