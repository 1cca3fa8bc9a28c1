/**
 * npm run load:events [-- --url http://127.0.0.1:3000 --count 20000 --connections 50 --tenant load --admin-token T
 *                         --deadline 120]
 * POSTs single events, then checks that all accepted events are COMPLETED; exit code 1 if not. Without --url it starts its own
 * StreamForge on embedded backends.
 */
import '../src/runtime/require-node.js';
import '../scripts/print-help.mjs';
import { request } from '#bench/client';
import { eventJson } from '#bench/events';
import { loadOptions } from '#bench/load-options';
import { runLoadCommand } from '#bench/load-run';

const options = loadOptions(process.argv.slice(2), { count: 20_000, connections: 50 });
const headers = { 'X-Tenant-Id': options.tenant, 'Content-Type': 'application/json' };

await runLoadCommand({
  options,
  eventsPerRequest: 1,
  requestOf: (source, n) => request('POST /v1/events', headers, eventJson(source, n)),
  read: ({ status, body }, accepted) => {
    if (status !== 202) return;
    accepted.events += 1;
    accepted.sample.add((JSON.parse(body.toString()) as { id: string }).id);
  },
});
