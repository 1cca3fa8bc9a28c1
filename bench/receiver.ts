/**
 * node bench/receiver.ts
 * The receiver of the destinations. It responds to POST /quick/… with 204 at once, to POST /slow/… with 204 after a second,
 * to POST /failing/… with 500, and never to POST /dead/…. GET /report/… reports the requests to a quick path and to all paths below it, the distinct events, and the
 * time from their acceptance to their arrival. DELETE /report/… forgets them.
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
  else if (request.method === 'DELETE') forget(path.replace('/report', ''), response);
  else if (path.startsWith('/dead')) request.resume();
  else if (path.startsWith('/slow'))
    request.resume().once('end', () => setTimeout(() => response.writeHead(204).end(), 1_000));
  else if (path.startsWith('/failing')) request.resume().once('end', () => response.writeHead(500).end());
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

const isAtOrBelow = (path: string, one: string): boolean => one === path || one.startsWith(`${path}/`);

function forget(path: string, response: ServerResponse): void {
  for (const one of arrivals.keys()) if (isAtOrBelow(path, one)) arrivals.delete(one);
  response.writeHead(204).end();
}

function report(path: string, response: ServerResponse): void {
  const reported = [...arrivals].filter(([one]) => isAtOrBelow(path, one)).map(([, seen]) => seen);
  const sorted = reported.flatMap(({ delaysMs }) => delaysMs).toSorted((a, b) => a - b);
  const result: ReceiverReport = {
    requests: sorted.length,
    distinct: reported.reduce((sum, { ids }) => sum + ids.size, 0),
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    firstMs: Math.min(...reported.map(({ firstMs }) => firstMs)),
    lastMs: Math.max(...reported.map(({ lastMs }) => lastMs)),
  };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result));
}
