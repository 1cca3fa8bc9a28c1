/**
 * node bench/receiver.ts
 * The receiver of the destinations. It responds to POST /quick/… with 204 at once, and never to POST /dead/…. GET /report/…
 * reports the requests to a path, the distinct events, and the time from their acceptance to their arrival.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { quantile } from '#bench/statistics';

export interface ReceiverReport {
  requests: number;
  distinct: number;
  p50Ms: number;
  p99Ms: number;
  /** Epoch ms of the first and last request. */
  firstMs: number;
  lastMs: number;
}

interface Arrivals {
  ids: Set<string>;
  delaysMs: number[];
  firstMs: number;
  lastMs: number;
}

const arrivals = new Map<string, Arrivals>();
const RECEIVED_AT = Buffer.from('"receivedAt":"');
const INSTANT_BYTES = '2026-01-31T12:00:00.000Z'.length;

const server = createServer((request, response) => {
  const path = request.url ?? '';
  if (request.method === 'GET') report(path.replace('/report', ''), response);
  else if (path.startsWith('/dead')) request.resume();
  else receive(path, request, response);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  process.stdout.write(`receiver\n  address    http://127.0.0.1:${port}\n`);
});
process.once('SIGTERM', () => process.exit(0));

function receive(path: string, request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const nowMs = Date.now();
    const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
    const at = body.indexOf(RECEIVED_AT) + RECEIVED_AT.length;
    const acceptedMs = Date.parse(body.toString('latin1', at, at + INSTANT_BYTES));
    const seen = arrivals.get(path) ?? { ids: new Set<string>(), delaysMs: [], firstMs: nowMs, lastMs: nowMs };
    arrivals.set(path, seen);
    seen.ids.add(String(request.headers['webhook-id']));
    seen.delaysMs.push(nowMs - acceptedMs);
    seen.lastMs = nowMs;
    response.writeHead(204).end();
  });
}

function report(path: string, response: ServerResponse): void {
  const { ids, delaysMs, firstMs, lastMs } = arrivals.get(path) ?? {
    ids: new Set<string>(),
    delaysMs: [],
    firstMs: 0,
    lastMs: 0,
  };
  const sorted = delaysMs.toSorted((a, b) => a - b);
  const [p50Ms, p99Ms] = [quantile(sorted, 0.5), quantile(sorted, 0.99)];
  const result: ReceiverReport = { requests: delaysMs.length, distinct: ids.size, p50Ms, p99Ms, firstMs, lastMs };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result));
}
