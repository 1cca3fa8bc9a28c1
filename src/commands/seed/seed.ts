import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { ROLES } from '../../config/roles';
import type { Settings } from '../../config/settings';
import { createApp } from '../../create-app';
import { closePool } from '../../db/close-pool';
import { runningInstanceUrl } from '../../db/embedded/running-instance';
import { migrate } from '../../db/migrations/migrate';
import { createPool } from '../../db/pool';
import { MOST_AGE_MS } from '../../db/fresh-copy';
import { say } from '../../runtime/command';
import { isStreamForge, mendReceiver, registerMissingReceiver, sendEvents, type AdminApi } from './api';
import { demoKey } from './demo-key';
import { countByStatus } from './status-counts.queries';
import { DEMO_TENANT, demoEvents, refusedEvents, unreadableEvents } from './demo-events';

const SETTLED_WITHIN_MS = 30_000;

/**
 * Sends the demo events to the public API, waits until they are processed, and prints their number by status. Without a
 * running StreamForge it starts a temporary one.
 */
export async function seed(url: string | undefined, databaseUrl: string, settings: Settings): Promise<void> {
  const asked = url ?? addressOf(settings);
  const running = (await isStreamForge(asked)) ? asked : undefined;
  if (running === undefined) say(`Nothing listens at ${asked}. Starting a temporary StreamForge.`);
  const pool = createPool(databaseUrl, 'streamforge seed');
  try {
    const own = await startOwn(databaseUrl, settings, running === undefined);
    try {
      const key = await demoKey(own, settings.TENANT_AUTH === 'key');
      const receiver = await registerMissingReceiver(own);
      await sleep(MOST_AGE_MS); // until every worker knows the destination
      await sendAll(running ?? own.url, key);
      await settled(pool);
      await mendReceiver(own, receiver);
    } finally {
      await own.close();
    }
    for (const { type, status, events } of await countByStatus(pool, DEMO_TENANT)) {
      say(`  ${type.padEnd(16)} ${status.padEnd(10)} ${events}`);
    }
  } finally {
    await closePool(pool);
  }
}

function addressOf(settings: Settings): string {
  const found = settings.DATABASE_URL === undefined ? runningInstanceUrl(settings.STREAMFORGE_DATA_DIR) : undefined;
  return found ?? `http://127.0.0.1:${settings.PORT}`;
}

/** Starts a StreamForge in this process, with all roles or as api only. */
async function startOwn(
  databaseUrl: string,
  settings: Settings,
  isOnlyOne: boolean,
): Promise<AdminApi & { close: () => Promise<void> }> {
  if (isOnlyOne) await migrate(databaseUrl);
  const adminToken = randomBytes(18).toString('base64url');
  const own: Settings = {
    ...settings,
    APP_ROLE: isOnlyOne ? [...ROLES] : ['api'],
    ADMIN_TOKEN: adminToken,
  };
  const app = await createApp(own, databaseUrl);
  await app.listen(0, '127.0.0.1');
  return { url: await app.getUrl(), adminToken, close: () => app.close() };
}

async function sendAll(url: string, key: string | undefined): Promise<void> {
  const [refused, unreadable] = [refusedEvents(), unreadableEvents()];
  const sent = await sendEvents(url, key, [...demoEvents(), ...refused, ...unreadable]);
  say(`${sent.accepted} events accepted, ${sent.duplicates} already there (tenant ${DEMO_TENANT}, sent to ${url})`);
  say(
    `${refused.length} of them come before their receiver is there, and it refuses ${unreadable.length} for its amount:`,
  );
  say('they end in the DLQ. The receiver is there now.');
}

/** Waits until every event is processed and delivered, or waits for a retry. Prints a hint if that takes too long. */
async function settled(pool: Pool): Promise<void> {
  for (const endMs = performance.now() + SETTLED_WITHIN_MS; performance.now() < endMs; await sleep(100)) {
    const counts = await countByStatus(pool, DEMO_TENANT);
    if (counts.every(({ status }) => !['RECEIVED', 'PUBLISHED', 'DELIVERING'].includes(status))) return;
  }
  say('Some events are still open. Are a publisher and a worker running?');
}
