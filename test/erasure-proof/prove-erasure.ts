import type { Pool } from 'pg';
import { Report } from '../deliveries-proof/report';
import { ADMIN_TOKEN } from '../support/app';
import { createTestVhost } from '../support/broker/rabbit';
import { createTestDatabase } from '../support/database';
import { getEvent, postEvent } from '../support/e2e-http';
import { hurryLastLook, readErasure, startErasure, type ErasureBody } from '../support/erasures';
import { eventually } from '../support/eventually';
import { statisticsWith, tablesWith } from '../support/everything-stored';
import { freePort } from '../support/processes/free-port';
import { RoleProcess } from '../support/processes/role-process';
import { textOfRedis } from '../support/redis-text';
import { storeManyEvents } from './many-events';

const TENANT = 'proof';
const SUBJECT = 'customer-0';
const SECRET = 'Ada Lovelace, Marylebone';
/** Events of one subject. */
const OF_SUBJECT = 1_000;
/** Events of the subject that are sent through the API, so that they can be sent again. */
const SENT = 20;
const LONGEST_MS = 30 * 60_000;

const bodyOf = (n: number): string =>
  JSON.stringify({ eventId: `sent-${n}`, eventType: 'order.paid', subject: SUBJECT, payload: { name: SECRET, n } });

/** Runs the proof on a database of its own. Returns whether everything is as it has to be. */
export async function proveErasure(events: number, say: (line: string) => void): Promise<boolean> {
  const report = new Report('erasure', say);
  const [database, vhost] = await Promise.all([createTestDatabase(), createTestVhost()]);
  const env = {
    APP_ROLE: 'all',
    DATABASE_URL: database.url,
    REDIS_URL: process.env.TEST_REDIS_URL as string,
    RABBITMQ_URL: vhost.url,
    ADMIN_TOKEN,
    LOG_LEVEL: 'debug',
  };
  const running = new RoleProcess('all-1', await freePort(), env, (name, output) => say(`${name} ended: ${output}`));
  process.once('exit', () => void (running.pid !== undefined && process.kill(running.pid, 'SIGKILL')));
  try {
    const many = { tenantId: TENANT, events, subjects: Math.ceil(events / OF_SUBJECT), secret: SECRET };
    await storeManyEvents(database.pool, many, say);
    await running.startAgain();
    await prove(running.url, database.pool, events, report);
    const found = running.output.includes(SECRET) ? 1 : 0;
    report.exactly('processes that logged a payload', found, 0);
  } finally {
    await running.kill();
    await vhost.drop();
    await database.drop();
  }
  return report.hasPassed;
}

async function prove(url: string, pool: Pool, events: number, report: Report): Promise<void> {
  for (let n = 0; n < SENT; n++) await postEvent(url, TENANT, bodyOf(n));
  await eventually(async () => {
    const last = await getEvent(url, TENANT, `sent-${SENT - 1}`);
    if (last.body.status !== 'COMPLETED') throw new Error(`the last event is ${last.body.status}`);
  });
  const order = { tenantId: TENANT, subject: SUBJECT };
  let startedMs = performance.now();
  const { body: preview } = await startErasure(url, { ...order, dryRun: true });
  report.note(`dry run: ${Math.round(performance.now() - startedMs)} ms`);
  startedMs = performance.now();
  const done = await whenDone(pool, url, (await startErasure(url, order)).body.erasureId);
  report.note(`erasure: ${Math.round(performance.now() - startedMs)} ms`);
  const [counted, expected] = [JSON.stringify(done.counts), JSON.stringify(preview.counts)];
  report.figure(`counts: ${counted}, in the dry run ${expected}`, counted === expected);
  const wanted = Math.ceil(events / Math.ceil(events / OF_SUBJECT)) + SENT;
  report.exactly('events erased', done.counts.events, wanted);
  const tables = JSON.stringify(await tablesWith(pool, SECRET));
  report.figure(`tables with a payload: ${tables}`, tables === '{}');
  const columns = (await statisticsWith(pool, SECRET)).join(', ');
  report.figure(`columns with a payload in their statistics: ${columns || 'none'}`, columns === '');
  const inRedis = (await textOfRedis(process.env.TEST_REDIS_URL as string)).includes(SECRET) ? 1 : 0;
  report.exactly('Redis with a payload', inRedis, 0);
  await proveResends(url, report);
  const { rows } = await pool.query<{ n: number }>(
    `select count(*)::integer as n from events where erased_at is null and payload ->> 'name' = 'somebody else'`,
  );
  const others = events + SENT - wanted;
  report.exactly('other events as they were', rows[0]?.n ?? 0, others);
}

async function proveResends(url: string, report: Report): Promise<void> {
  let duplicates = 0;
  for (let n = 0; n < SENT; n++) if ((await postEvent(url, TENANT, bodyOf(n))).body.duplicate) duplicates += 1;
  report.exactly('resends that are duplicates', duplicates, SENT);
}

function whenDone(pool: Pool, url: string, id: string | null): Promise<ErasureBody> {
  return eventually(async () => {
    await hurryLastLook(pool, id);
    const erasure = await readErasure(url, id);
    if (erasure.status !== 'DONE') throw new Error(`the erasure is ${erasure.status}`);
    return erasure;
  }, LONGEST_MS);
}
