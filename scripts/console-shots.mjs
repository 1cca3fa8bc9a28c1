/**
 * npm run console:shots [-- --out docs/console --width 1280]: starts StreamForge with an embedded database in a temporary
 * directory, runs npm run seed and some webhooks against it, and writes a picture of each page of the console in light and
 * dark colours.
 */
import './print-help.mjs';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { optionsOr } from './options.mjs';

const ROOT = path.resolve(import.meta.dirname, '..');
const TOKEN = 'a-token-for-pictures-only-1234';
const SECRET = 'a secret for pictures only';
const WAIT_MS = 120_000;
const { fetch } = globalThis;
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

const { out, width } = optionsOr('npm run console:shots [-- --out docs/console --width 1280]', {
  out: { type: 'string', default: 'docs/console' },
  width: { type: 'string', default: '1280' },
});
if (!CHROMIUM) {
  process.stderr.write('Chromium is not installed. Run `npm run test:setup`.\n');
  process.exit(1);
}

const directory = mkdtempSync(path.join(os.tmpdir(), 'streamforge-shots-'));
chmodSync(directory, 0o755); // as root, the database runs as another user
const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const env = {
  ...process.env,
  ...{ PORT: String(port), ADMIN_TOKEN: TOKEN, STREAMFORGE_DATA_DIR: path.join(directory, 'data'), LOG_LEVEL: 'error' },
  DESTINATIONS_ALLOW_PRIVATE: 'true',
};
const server = spawn(process.execPath, ['dist/src/main.js'], {
  cwd: ROOT,
  env,
  stdio: ['ignore', 'inherit', 'inherit'],
});
const ended = new Promise((resolve) => server.once('close', resolve));
try {
  await ready();
  await run('dist/src/commands/seed.js', '--url', url);
  await sendWebhooks();
  await lookAfter();
  await shoot();
} finally {
  server.kill('SIGTERM');
  await ended;
  rmSync(directory, { recursive: true, force: true });
}

async function shoot() {
  mkdirSync(path.resolve(ROOT, out), { recursive: true });
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu'],
    headless: true,
  });
  const pages = await pagesToShoot();
  for (const colorScheme of ['light', 'dark']) {
    const context = await browser.newContext({ viewport: { width: Number(width), height: 800 }, colorScheme });
    const page = await context.newPage();
    await page.goto(`${url}/console/`);
    await page.getByLabel('Operator token').fill(TOKEN);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    for (const [name, address] of Object.entries(pages)) {
      await page.goto(url + address);
      await page.getByRole('heading', { level: 1 }).waitFor();
      if (name === 'live')
        await page.locator('.live-row').first().waitFor(); // its connection is never idle
      else await page.waitForLoadState('networkidle');
      const file = path.join(out, `${name}-${colorScheme}.png`);
      await page.screenshot({ path: path.resolve(ROOT, file) });
      process.stdout.write(`${file}\n`);
    }
    await context.close();
  }
  await browser.close();
}

async function pagesToShoot() {
  const dead = await ask('dlq?limit=1');
  const groups = await ask('dlq/reasons');
  const { destinations } = await ask('destinations');
  const { sources } = await ask('sources');
  const rejected = await ask('rejections?limit=1');
  const causes = await ask('rejections/reasons');
  const { replays } = await ask('replays');
  return {
    overview: '/console/',
    events: '/console/events',
    event: `/console/events/${dead.deadLetters[0].id}`,
    'dead-letters': '/console/dead-letters',
    group: `/console/dead-letters/${groups.reasons[0].id}`,
    live: '/console/live',
    rejections: '/console/rejections',
    'rejection-group': `/console/rejections/${causes.reasons[0].id}`,
    rejection: `/console/rejections/one/${rejected.rejections[0].id}`,
    sources: '/console/sources',
    source: `/console/sources/${sources[0].id}`,
    destinations: '/console/destinations',
    destination: `/console/destinations/${destinations[0].id}`,
    replays: '/console/replays',
    replay: `/console/replays/${replays[0].replayId}`,
    audit: '/console/audit',
    tenants: '/console/tenants',
    tenant: '/console/tenants/demo',
    operators: '/console/operators',
    outbox: '/console/outbox',
    usage: '/console/usage',
    health: '/console/health',
  };
}

/** A source with requests that were accepted, refused, and kept as rejections. */
async function sendWebhooks() {
  const verification = {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'hex',
    header: 'x-signature',
    signed: '{body}',
  };
  const mapping = { eventType: '/type', subject: '/order', eventId: '/id' };
  const source = await ask('sources', {
    ...{ tenantId: 'demo', name: 'shop payments', provider: 'custom', secrets: [SECRET], verification, mapping },
  });
  for (const [body, secret] of [
    ['{"id":"pay-1","type":"payment.received","order":"order-1001","amount":10.10}', SECRET],
    ['{"id":"pay-2","type":"payment.received","order":"order-1002","amount":12.50}', SECRET],
    ['{"id":"pay-3","type":"payment.received","amount":99.90}', SECRET],
    ['{"id":"pay-4","type":"payment.received","order":"order-1004"}', 'another secret'],
  ]) {
    const signature = createHmac('sha256', secret).update(body).digest('hex');
    const headers = { 'Content-Type': 'application/json', 'X-Signature': signature };
    await fetch(source.url, { method: 'POST', headers, body });
  }
}

/** What operators do: a key, another operator, and a replay. */
async function lookAfter() {
  await ask('tenants/demo/keys', { name: 'till 17', scopes: ['ingest'] });
  await ask('operators', { name: 'ada', role: 'support', tenantIds: ['demo'] });
  await ask('replay', { tenantId: 'demo', status: 'COMPLETED', mode: 'republish', limit: 20, note: 'for a picture' });
}

async function ask(resource, body) {
  const response = await fetch(`${url}/v1/admin/${resource}`, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: { 'X-Admin-Token': TOKEN, 'Content-Type': 'application/json' },
  });
  if (!response.ok) throw new Error(`${resource}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function ready() {
  for (const endMs = Date.now() + WAIT_MS; Date.now() < endMs;) {
    try {
      if ((await fetch(`${url}/ready`)).ok) return;
    } catch {
      // not listening yet
    }
    if (server.exitCode !== null) break;
    await sleep(200);
  }
  throw new Error('StreamForge did not become ready');
}

function run(script, ...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { cwd: ROOT, env, stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', (status) => (status === 0 ? resolve() : reject(new Error(`${script} ended with ${status}`))));
  });
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
