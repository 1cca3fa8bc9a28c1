/**
 * npm run bench:amplification [-- --attempts 60 --seed 1 --megabytes 16]
 *
 * Measures what hostile clients can make a running api spend: random filler, encoded or not, sent to a random
 * endpoint over several connections, whose responses are read or never read; and many pipelined reads. Prints, for each
 * attempt, the bytes that were sent, the events that were accepted or duplicates, and the CPU time and memory of the
 * process that it cost. Ends with exit code 1 if one costs more CPU time than CPU_MS for each request, CPU_MS_PER_KB for
 * each kilobyte sent and CPU_MS_PER_EVENT for each of these events, which may have 256 KiB, or more memory than HEAP_MB
 * and MEMORY_MB for each connection, or if the process ever holds more than MAX_BUFFER_BYTES and 400 MiB beyond what it held
 * at the start.
 */
import '../src/runtime/require-node.js';
import '../scripts/print-help.mjs';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { command } from '#bench/cleanup';
import { BenchServer } from '#bench/databases';
import { attempt, chooseAttempt, randomOf, type Attempt } from '#bench/filler/attempts';
import { positive } from '#bench/options';
import { cpuMicroseconds, type ServerProcess } from '#bench/processes';
import { ADMIN_TOKEN, startRole } from '#bench/streamforge';

const MEGABYTE = 1_048_576;
const MAX_BUFFER_BYTES = 64 * MEGABYTE;
const CPU_MS = 200;
const CPU_MS_PER_KB = 20;
/** Of XML with as many tags as fit in, the dearest. */
const CPU_MS_PER_EVENT = 80;
const MEMORY_MB = 16;
/** Of the heap, whatever was sent: garbage that was not collected yet. */
const HEAP_MB = 160;
/** Beside MAX_BUFFER_BYTES, as docs/shipping.md says. */
const OTHER_MEMORY_BYTES = 400 * MEGABYTE;

/** The process counts as idle when it uses less than a fifth of a core for this long. */
const IDLE_LOOK_MS = 250;
const MOST_WAIT_MS = 60_000;

interface Cost {
  /** Accepted events and duplicates. */
  events: number;
  cpuMs: number;
  /** Growth of the resident memory, at its peak. */
  memoryMb: number;
  peakBytes: number;
}

function residentBytes(pid: number | undefined): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

const cpuMsOf = ({ child }: ServerProcess): number => (cpuMicroseconds(child.pid) ?? Number.NaN) / 1_000;

async function untilIdle(server: ServerProcess): Promise<void> {
  const endMs = performance.now() + MOST_WAIT_MS;
  for (let before = cpuMsOf(server); performance.now() < endMs;) {
    await sleep(IDLE_LOOK_MS);
    const now = cpuMsOf(server);
    if (now - before < IDLE_LOOK_MS / 5) return;
    before = now;
  }
}

const metricsOf = async ({ url }: ServerProcess): Promise<string> => (await fetch(`${url}/metrics`)).text();

/** The process may be idle only because others use the machine: it has ended its work when it holds nothing for requests. */
async function untilDone(server: ServerProcess): Promise<void> {
  const endMs = performance.now() + MOST_WAIT_MS;
  do await untilIdle(server);
  while (!/^streamforge_buffer_bytes 0$/m.test(await metricsOf(server)) && performance.now() < endMs);
}

/** Events that were accepted or duplicates so far. */
async function eventsOf(server: ServerProcess): Promise<number> {
  const text = await metricsOf(server);
  const counts = text.matchAll(/^streamforge_ingest_total\{[^}]*status="(?:accepted|duplicate)"[^}]*\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function measure(server: ServerProcess, hostile: Attempt): Promise<Cost> {
  const { pid } = server.child;
  const eventsBefore = await eventsOf(server);
  const before = { cpuMs: cpuMsOf(server), bytes: residentBytes(pid) };
  let peakBytes = before.bytes;
  const watch = setInterval(() => (peakBytes = Math.max(peakBytes, residentBytes(pid))), 10);
  const sockets = attempt(hostile, server.url);
  await sleep(IDLE_LOOK_MS);
  await untilIdle(server);
  for (const socket of sockets) socket.destroy();
  await untilDone(server);
  clearInterval(watch);
  const cpuMs = cpuMsOf(server) - before.cpuMs;
  const events = (await eventsOf(server)) - eventsBefore;
  return { events, cpuMs, memoryMb: (peakBytes - before.bytes) / MEGABYTE, peakBytes };
}

/** Returns the path of a source that takes whatever is sent. */
async function createSource({ url }: ServerProcess): Promise<string> {
  const source = { tenantId: 'hostile', name: 'open', provider: 'custom', verification: { scheme: 'none' } };
  const response = await fetch(`${url}/v1/admin/sources`, {
    method: 'POST',
    headers: { 'X-Admin-Token': ADMIN_TOKEN, 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...source, allowUnverified: true, mapping: { eventType: '/type', subject: '/id' } }),
  });
  if (response.status !== 201) throw new Error(`creating a source: ${response.status} ${await response.text()}`);
  return new URL(((await response.json()) as { url: string }).url).pathname;
}

function report({ name, bytes, requests, connections }: Attempt, { events, cpuMs, memoryMb }: Cost): boolean {
  const sentKb = (bytes.length * connections) / 1_000;
  const mostCpuMs = CPU_MS * requests * connections + CPU_MS_PER_KB * sentKb + CPU_MS_PER_EVENT * events;
  const isOver = cpuMs > mostCpuMs || memoryMb > MEMORY_MB * connections + HEAP_MB;
  const sent = `${connections} × ${requests} requests, ${sentKb.toFixed(1)} kB, ${events} events`;
  const cost = `${cpuMs.toFixed(0)} ms of CPU, ${memoryMb.toFixed(0)} MB`;
  process.stdout.write(`  ${name.padEnd(64)} ${sent.padEnd(46)} ${cost}${isOver ? '  OVER' : ''}\n`);
  return isOver;
}

await command(async (atEnd) => {
  const { values } = parseArgs({
    options: {
      attempts: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      megabytes: { type: 'string', default: '16' },
    },
  });
  const attempts = positive('--attempts', values.attempts);
  const random = randomOf(positive('--seed', values.seed));
  const mostBytes = positive('--megabytes', values.megabytes) * MEGABYTE;
  const postgres = await BenchServer.start();
  atEnd(() => postgres.stop());
  const server = await startRole('api', {
    ADMIN_TOKEN,
    DATABASE_URL: await postgres.createDatabase('amplification'),
    MAX_BUFFER_BYTES: String(MAX_BUFFER_BYTES),
    MAX_STREAMS_PER_TENANT: '16',
    RESPONSE_STALL_TIMEOUT_MS: '5000',
  });
  atEnd(() => server.stop());
  const sourcePath = await createSource(server);
  await untilIdle(server);
  const startBytes = residentBytes(server.child.pid);
  let peakBytes = startBytes;
  let over = 0;
  for (let n = 0; n < attempts; n++) {
    const hostile = chooseAttempt(random, sourcePath, mostBytes);
    const cost = await measure(server, hostile);
    peakBytes = Math.max(peakBytes, cost.peakBytes);
    if (report(hostile, cost)) over += 1;
  }
  const grownBytes = peakBytes - startBytes;
  if (grownBytes > MAX_BUFFER_BYTES + OTHER_MEMORY_BYTES) over += 1;
  process.stdout.write(
    `\n${(startBytes / MEGABYTE).toFixed(0)} MB at the start, at most ${(grownBytes / MEGABYTE).toFixed(0)} MB more. ` +
      `${over === 0 ? 'Everything is within the limits.' : `${over} measurements are over a limit.`}\n`,
  );
  return over === 0 ? 0 : 1;
});
