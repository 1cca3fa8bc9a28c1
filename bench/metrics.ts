/**
 * npm run bench:metrics [-- --rate 1000 --minutes 20 --seconds 60 --deliveries 0 --only rollup|queries]
 *
 * Measures what the roll-up of metrics costs. Stores events as if they had come at a steady rate for the last minutes, rolls
 * them up, goes on storing events at that rate, and prints the CPU time that the roll-up needs for an event, in PostgreSQL
 * and in the process. `--deliveries` is the number of deliveries of each event. Then it times queries of up to 90 days and
 * 1,000 keys. Ends with exit code 1 if the median of one is above 100 ms, apart from those of latencies. Uses DATABASE_URL,
 * or an embedded PostgreSQL in a temporary directory.
 */
import '../src/runtime/require-node.js';
import '../scripts/print-help.mjs';
import { parseArgs } from 'node:util';
import { command } from '#bench/cleanup';
import { BenchServer } from '#bench/databases';
import { describeMachine } from '#bench/machine';
import { measureQueries } from '#bench/metrics/query-times';
import { measureRollup } from '#bench/metrics/rollup-cost';
import { positive } from '#bench/options';

await command(async (atEnd) => {
  const { values } = parseArgs({
    options: {
      rate: { type: 'string', default: '1000' },
      minutes: { type: 'string', default: '20' },
      seconds: { type: 'string', default: '60' },
      deliveries: { type: 'string', default: '0' },
      only: { type: 'string' },
    },
  });
  const server = await BenchServer.start();
  atEnd(() => server.stop());
  process.stdout.write(`${await describeMachine(server)}\n`);
  const load = {
    rate: positive('rate', values.rate),
    minutes: positive('minutes', values.minutes),
    seconds: positive('seconds', values.seconds),
    deliveries: Number(values.deliveries),
  };
  if (values.only !== 'queries') await measureRollup(await server.createDatabase('rollup'), load, atEnd);
  if (values.only === 'rollup') return 0;
  return (await measureQueries(await server.createDatabase('queries'), atEnd)) ? 0 : 1;
});
