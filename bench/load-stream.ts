/**
 * npm run load:stream [-- --url http://127.0.0.1:3000 --count 100000 --connections 4 --lines 1000 --format ndjson|xml
 *                         --tenant load --admin-token T --deadline 120]
 * Uploads bodies of many events, then checks that all accepted events are COMPLETED; exit code 1 if not. Without --url it
 * starts its own StreamForge on embedded backends.
 */
import '../src/runtime/require-node.js';
import '../scripts/print-help.mjs';
import type { Answer } from '#bench/answer-parser';
import { request } from '#bench/client';
import type { Accepted } from '#bench/closing-check';
import { NDJSON, ndjsonBody, XML, xmlBody } from '#bench/events';
import { loadOptions } from '#bench/load-options';
import { runLoadCommand } from '#bench/load-run';

/** One in this many bodies requests a line per record, since only those lines contain ids. */
const NAMED_EVERY = 10;

const options = loadOptions(process.argv.slice(2), { count: 100_000, connections: 4 });
const [type, bodyOf] = options.format === 'xml' ? ([XML, xmlBody] as const) : ([NDJSON, ndjsonBody] as const);
const headers = { 'X-Tenant-Id': options.tenant, 'Content-Type': type };

await runLoadCommand({
  options,
  eventsPerRequest: options.lines,
  requestOf: (source, from, count) => {
    const named = (from / options.lines) % NAMED_EVERY === 0;
    return request(
      'POST /v1/ingest/stream',
      named ? { ...headers, Accept: NDJSON } : headers,
      bodyOf(source, from, count),
    );
  },
  read,
});

interface Line {
  status?: string;
  id?: string;
  summary?: { accepted: number };
}

/** Reads a summary, or lines of records that end with a summary. */
function read({ body }: Answer, accepted: Accepted): void {
  const lines = body.toString().trim().split('\n');
  for (const line of lines) {
    const { status, id, summary } = JSON.parse(line) as Line;
    if (status === 'accepted' && id !== undefined) accepted.sample.add(id);
    accepted.events += summary?.accepted ?? 0;
  }
}
