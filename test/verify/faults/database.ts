import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { rowsOf } from '../../support/processes/e2e-own-servers';

const CUT_ALL = `select pg_terminate_backend(pid) from pg_stat_activity
                  where backend_type = 'client backend' and pid <> pg_backend_pid()`;
const CANCEL_ALL = `select pg_cancel_backend(pid) from pg_stat_activity
                     where backend_type = 'client backend' and state = 'active' and application_name like 'streamforge%'`;
const CANCELS = { times: 20, everyMs: 25 };

/** Deadlocks in a row: a worker repeats a batch three times, and after the fourth it isolates the events. */
const DEADLOCKS = 4;
const WAITER_WITHIN_MS = 2_500;
/** PostgreSQL looks for a deadlock after a wait of one second. */
const FOUND_WITHIN_MS = 3_000;

/** Ignores errors that say that PostgreSQL is down, which another fault may have caused. */
async function unlessDown(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    const isDown = /^(57P|08|ECONN)/.test(code ?? '') || /terminated|timeout|ended|closed/i.test(message);
    if (!isDown) throw error;
  }
}

export function cutConnections(databaseUrl: string): Promise<void> {
  return unlessDown(async () => void (await rowsOf(databaseUrl, CUT_ALL)));
}

export function cancelQueries(databaseUrl: string): Promise<void> {
  return unlessDown(async () => {
    for (let i = 0; i < CANCELS.times; i++) {
      await rowsOf(databaseUrl, CANCEL_ALL);
      await sleep(CANCELS.everyMs);
    }
  });
}

/**
 * Locks the usage counters, waits until a worker waits for them, then requests a lock on the table that the worker writes.
 * The worker has waited longer, so PostgreSQL aborts its transaction. This is repeated until the worker isolates the events.
 */
export function deadlockWorkers(databaseUrl: string): Promise<void> {
  return unlessDown(async () => {
    const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 2_000, query_timeout: 10_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      // Never abort this transaction, and do not wait forever.
      await client.query(`set deadlock_timeout = '1h'; set lock_timeout = ${FOUND_WITHIN_MS}`);
      await client.query('begin');
      await client.query('select from usage_daily order by tenant_id, day, type for update');
      for (let i = 0; i < DEADLOCKS && (await isWaitedFor(client)); i++) {
        await client.query('savepoint ours');
        await client.query('lock table processing_attempts in share mode').catch(() => undefined);
        await client.query('rollback to savepoint ours');
      }
      await client.query('rollback');
    } finally {
      await client.end();
    }
  });
}

async function isWaitedFor(client: Client): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < WAITER_WITHIN_MS; waitedMs += 25) {
    const { rows } = await client.query(
      'select from pg_stat_activity where pg_backend_pid() = any (pg_blocking_pids(pid)) limit 1',
    );
    if (rows.length > 0) return true;
    await sleep(25);
  }
  return false;
}
