import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { migrate } from '../../../src/db/migrations/migrate';
import { storeBatch } from '../../../src/ingest/store/store-batch';
import { prepared } from '../../support/events';
import { eventually } from '../../support/eventually';
import { rowsOf } from '../../support/processes/e2e-own-servers';
import type { Landscape } from '../landscape/landscape';
import { GRACE_MS } from '../landscape/settings';
import { exchange } from '../load/exchange';
import { ofTheRun, readOfTheRun } from '../run/inconclusive';
import type { Journal } from '../run/journal';

const DATABASE = 'stranger';
/** PostgreSQL may be down by another fault. */
const MADE_WITHIN_MS = 60_000;
const EVENTS = 10;
/** One that has destinations here, which must not get the events of others. */
const TENANT = 'delivered';
const TIMEOUT_MS = 2_000;
const LOOK_EVERY_MS = 250;
const KILLED_AFTER_MS = GRACE_MS + 5_000;

/**
 * The publisher and worker of a second installation, whose database has events to publish, start on the same virtual host
 * of RabbitMQ. They must neither publish nor process anything. @throws Inconclusive
 */
export async function shareHost(landscape: Landscape, forMs: number, journal: Journal): Promise<void> {
  const databaseUrl = await ofTheRun('making a database of another installation', () =>
    eventually(() => databaseBeside(landscape.databaseUrl), MADE_WITHIN_MS),
  );
  const stranger = await landscape.startStranger({ APP_ROLE: 'publisher,worker', DATABASE_URL: databaseUrl });
  const sinceMs = journal.nowMs;
  const notReady = new Set<string>();
  let ready = 0;
  for (const untilMs = Date.now() + forMs; Date.now() < untilMs; await sleep(LOOK_EVERY_MS)) {
    const { status, text } = await exchange(`${stranger.url}/ready`, {}, TIMEOUT_MS);
    if (status === 200) ready += 1;
    else if (status !== undefined) notReady.add(whyIn(text));
  }
  const did = await readOfTheRun('looking at what another installation did', () => deedsIn(databaseUrl));
  journal.append({ kind: 'stranger', sinceMs, ready, notReady: [...notReady], ...did });
  const ended = await stranger.terminate(KILLED_AFTER_MS);
  if (ended) journal.append({ kind: 'ended', process: stranger.name, ...ended });
}

/** Returns the URL of a database of its own on the same server, with some events that wait to be published. */
async function databaseBeside(url: string): Promise<string> {
  const known = await rowsOf(url, 'select from pg_database where datname = $1', [DATABASE]);
  if (known.length === 0) await rowsOf(url, `create database ${DATABASE}`);
  const own = new URL(url);
  own.pathname = DATABASE;
  await migrate(own.href);
  const pool = new Pool({ connectionString: own.href, max: 1 });
  pool.on('error', () => undefined); // the statement reports it
  try {
    await storeBatch(
      pool,
      Array.from({ length: EVENTS }, () => prepared({}, { tenantId: TENANT })),
    );
  } finally {
    await pool.end();
  }
  return own.href;
}

function whyIn(text: string): string {
  const { checks } = JSON.parse(text) as { checks?: { rabbitmq?: { message?: string } } };
  return checks?.rabbitmq?.message ?? text;
}

async function deedsIn(url: string): Promise<{ waiting: number; published: number; attempts: number }> {
  const [row] = await rowsOf<{ waiting: number; published: number; attempts: number }>(
    url,
    `select (select count(*)::int from outbox where closed_at is null) as waiting,
            (select count(*)::int from outbox where status = 'PUBLISHED') as published,
            (select count(*)::int from processing_attempts) as attempts`,
  );
  return row as { waiting: number; published: number; attempts: number };
}
