import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { startAllInOne } from '#bench/streamforge';
import type { BenchServer } from '#bench/databases';
import { DELIVERY_SETTINGS, register } from '#bench/deliveries/gateway';

const FAILING = 50;

/** A database with 50 destinations whose circuits are open, and a healthy one. */
export interface RetryingDatabase {
  url: string;
  client: Client;
  failing: string[];
  healthyId: string;
}

/** Registers the destinations. Their receiver does not exist: nothing is sent to them. */
export async function prepareDestinations(postgres: BenchServer): Promise<{ url: string; ids: string[] }> {
  const url = await postgres.createDatabase('retrying');
  const gateway = await startAllInOne({ DATABASE_URL: url, ...DELIVERY_SETTINGS });
  try {
    const ids: string[] = [];
    for (let n = 0; n <= FAILING; n++) {
      ids.push(await register(gateway, { tenantId: `tenant-${n}`, url: `http://127.0.0.1:9/${n}` }));
    }
    return { url, ids };
  } finally {
    await gateway.stop();
  }
}

/** Opens a copy of the prepared database. */
export async function openCopy(
  postgres: BenchServer,
  name: string,
  prepared: { url: string; ids: string[] },
): Promise<RetryingDatabase> {
  const url = await postgres.copyDatabase(prepared.url, name);
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(readFileSync(new URL('retrying.sql', import.meta.url), 'utf8'));
  const [healthyId = '', ...failing] = prepared.ids;
  return { url, client, failing, healthyId };
}

/** Half of the deliveries are overdue and half are due later. No circuit may be probed for a day. */
export async function fillRetrying({ client, failing }: RetryingDatabase, count: number): Promise<void> {
  await client.query(
    `insert into destination_failures (destination_id, failing_since, open_until, open_seconds, last_reason_code)
     select id, now() - interval '1 hour', now() + interval '1 day', 60, 'HTTP_5XX' from unnest($1::uuid[]) id`,
    [failing],
  );
  await client.query(`select pg_temp.fill_retrying($1, $2, now() - interval '3 days', now() + interval '3 days')`, [
    count,
    failing,
  ]);
}

/** Adds deliveries to the healthy destination that are due. */
export async function fillDue({ client, healthyId }: RetryingDatabase, count: number): Promise<void> {
  await client.query(`select pg_temp.fill_retrying($1, $2, now() - interval '1 hour', now())`, [count, [healthyId]]);
}

/** Leaves nothing for autovacuum or a checkpoint to do during a measurement. */
export async function settleDown({ client }: RetryingDatabase): Promise<void> {
  await client.query('vacuum analyze');
  await client.query('checkpoint').catch((error: unknown) => {
    process.stderr.write(`no checkpoint, so that one may fall into the measurement: ${String(error)}\n`);
  });
}
