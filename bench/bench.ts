/**
 * npm run bench: starts StreamForge all-in-one on its embedded backends in a temporary directory and measures, over
 * HTTP as a client sees it:
 *   idle     one event at a time, from the request to COMPLETED
 *   single   POST /v1/events at 50 connections, answered after the commit
 *   stream   one NDJSON upload, answered after the last commit, then drained to COMPLETED
 * Figures are of this machine at this moment; compare them only within one run.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import * as http from 'node:http';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ADMIN_TOKEN = 'bench-token-of-this-run-only';
const SINGLE_SECONDS = 5;
const CONNECTIONS = 50;
const STREAM_EVENTS = 50_000;
const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });

interface Answer {
  status: number;
  body: string;
}

function request(url: string, method: string, headers: Record<string, string>, body?: string): Promise<Answer> {
  return new Promise((done, reject) => {
    const sent = http.request(url, { method, headers, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => done({ status: response.statusCode ?? 0, body: text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function event(n: number): string {
  const items = Array.from({ length: 6 }, (_, i) => ({
    sku: `sku-${n}-${i}`,
    quantity: i + 1,
    price: 9.99,
    note: 'as ordered',
  }));
  return JSON.stringify({ eventType: 'order.paid', subject: `order-${n}`, payload: { n, total: 59.94, items } });
}

const HEADERS = { 'x-tenant-id': 'bench', 'content-type': 'application/json' };

async function idleLatencies(url: string, rounds: number): Promise<number[]> {
  const latencies: number[] = [];
  for (let n = 0; n < rounds; n++) {
    await sleep(50);
    const startedMs = performance.now();
    const { body } = await request(`${url}/v1/events`, 'POST', HEADERS, event(1_000_000 + n));
    const { id } = JSON.parse(body) as { id: string };
    for (;;) {
      const { body: read } = await request(`${url}/v1/events/${id}`, 'GET', HEADERS);
      if (read.includes('"status":"COMPLETED"')) break;
    }
    latencies.push(performance.now() - startedMs);
  }
  return latencies.sort((a, b) => a - b);
}

async function singlePosts(url: string): Promise<{ perSecond: number; p50: number; p99: number }> {
  const latencies: number[] = [];
  const endMs = performance.now() + SINGLE_SECONDS * 1000;
  let n = 2_000_000;
  const client = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const startedMs = performance.now();
      const { status } = await request(`${url}/v1/events`, 'POST', HEADERS, event(n++));
      if (status !== 202) throw new Error(`answered ${status}`);
      latencies.push(performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  latencies.sort((a, b) => a - b);
  return { perSecond: latencies.length / SINGLE_SECONDS, p50: at(latencies, 0.5), p99: at(latencies, 0.99) };
}

async function completed(url: string): Promise<number> {
  const { body } = await request(`${url}/v1/admin/usage?tenantId=bench`, 'GET', { 'x-admin-token': ADMIN_TOKEN });
  const { usage } = JSON.parse(body) as { usage: { events: number }[] };
  return usage.reduce((sum, row) => sum + row.events, 0);
}

const at = (sorted: number[], quantile: number): number => sorted[Math.floor(sorted.length * quantile)] ?? Number.NaN;

function say(name: string, text: string): void {
  process.stdout.write(`${name.padEnd(8)}${text}\n`);
}

async function measure(url: string): Promise<void> {
  await idleLatencies(url, 20); // warm-up
  const idle = await idleLatencies(url, 100);
  say('idle', `accept to COMPLETED: median ${at(idle, 0.5).toFixed(1)} ms, p95 ${at(idle, 0.95).toFixed(1)} ms`);

  const single = await singlePosts(url);
  say(
    'single',
    `${single.perSecond.toFixed(0)} events/s at ${CONNECTIONS} connections, p50 ${single.p50.toFixed(1)} ms, p99 ${single.p99.toFixed(1)} ms`,
  );

  let before = -1; // let the queue run empty first
  while ((await completed(url)) !== before) {
    before = await completed(url);
    await sleep(500);
  }
  const lines = Array.from({ length: STREAM_EVENTS }, (_, n) => event(n)).join('\n');
  const startedMs = performance.now();
  const { status, body } = await request(
    `${url}/v1/ingest/stream`,
    'POST',
    { ...HEADERS, 'content-type': 'application/x-ndjson' },
    lines,
  );
  if (status !== 202) throw new Error(`the stream was answered ${status}: ${body}`);
  const storedMs = performance.now() - startedMs;
  while ((await completed(url)) < before + STREAM_EVENTS) await sleep(10);
  const drainedMs = performance.now() - startedMs;
  say(
    'stream',
    `${((STREAM_EVENTS / storedMs) * 1000).toFixed(0)} events/s stored, ${((STREAM_EVENTS / drainedMs) * 1000).toFixed(0)} events/s to COMPLETED (${STREAM_EVENTS} events of ${Math.round(lines.length / STREAM_EVENTS)} bytes)`,
  );
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'streamforge-bench-'));
  const child = spawn(process.execPath, [resolve('dist/src/main.js')], {
    env: {
      ...process.env,
      PORT: '0',
      LOG_LEVEL: 'warn',
      ADMIN_TOKEN,
      STREAMFORGE_DATA_DIR: directory,
      TENANT_RATE_LIMIT_PER_MINUTE: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((done) => child.once('exit', done));
  try {
    let output = '';
    const url = await new Promise<string>((found, reject) => {
      child.once('exit', () => reject(new Error(`StreamForge did not start:\n${output}`)));
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        const address = /address\s+(http:\S+)/.exec(output)?.[1];
        if (address) found(address);
      });
    });
    process.stdout.write(
      `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}; load generator on the same machine\n`,
    );
    await measure(url);
  } finally {
    child.kill('SIGTERM');
    await exited;
    rmSync(directory, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
