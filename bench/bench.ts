/**
 * npm run bench [-- --rounds 5 --seconds 3 --only single,stream,xml,duplicates,idle,publisher,drain,…]
 * The groups are listed in bench/options.ts.
 * npm run bench -- --rounds 3 --only destinations,isolation     (HTTP destinations, not part of the default)
 * npm run bench -- --only three-destinations,many-destinations,retrying     (receivers that fail; not part of the default)
 * npm run bench -- --rounds 3 --only ordering     (many keys in order, and one; not part of the default)
 * npm run bench -- --rounds 5 --only stored     (with 0, 1 and 5 million stored events; not part of the default)
 * npm run bench -- --only fairness --events 1000000     (a quiet tenant beside the events of another)
 * npm run bench -- --rounds 7 --only keys     (API keys against X-Tenant-Id; not part of the default)
 * npm run bench -- --rounds 7 --only sources     (signed webhooks against POST /v1/events; not part of the default)
 * npm run bench -- --rounds 7 --only rejections     (NDJSON with rejected records; also with --against)
 * npm run bench -- --rounds 7 --only cache     (single events with and without Redis; also with --against)
 * npm run bench -- --rounds 7 --only pooler     (through PgBouncer in transaction mode, and without)
 * npm run bench -- --against <git revision or directory>     (this build against another one: bench/against/)
 *
 * Compares StreamForge with baselines on the same machine at the same time:
 *   (a) post, no write        the same application, responding with 202 without writing
 *   (b) post, tx per request  the same application with a transaction for each request
 *   (c) pg alone              a loop that writes the same batches with pg alone
 * The sides take turns of a few seconds over several rounds. Ratios are taken within a round. The bench starts an embedded
 * PostgreSQL, or creates its own databases on the server of DATABASE_URL and drops them at the end. Groups that need
 * RabbitMQ get a private one, unless RABBITMQ_URL names one whose queues may be purged.
 */
import '../src/runtime/require-node.js';
import '../scripts/print-help.mjs';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compareBuilds } from '#bench/against/compare-builds';
import { startAllInOne } from '#bench/streamforge';
import { cacheReport, measureCache } from '#bench/cache';
import { command } from '#bench/cleanup';
import { BenchServer } from '#bench/databases';
import { failingReceiverReport, measureFailingReceiver } from '#bench/deliveries/failing-receiver';
import { runDeliveries } from '#bench/deliveries/run';
import { FIGURES } from '#bench/figures';
import { idleReport, measureIdle, type IdleResult } from '#bench/idle';
import { describeMachine } from '#bench/machine';
import { benchOptions, type BenchOptions } from '#bench/options';
import { fairnessReport, measureFairness } from '#bench/fairness';
import { keysReport, measureKeys } from '#bench/keys';
import { measureOverhead, overheadReport } from '#bench/overhead';
import { measureWorker, workerReport } from '#bench/worker';
import { figureTable, verdicts, verdictTable, type RoundResult } from '#bench/report';
import { measurePooler, poolerReport } from '#bench/pooler';
import { Pipeline, pipelineReport, type PipelineResult } from '#bench/pipeline';
import { BenchRabbit } from '#bench/rabbit';
import { measureRejections, rejectionsReport } from '#bench/rejections';
import { measureRoles, rolesReport } from '#bench/roles';
import { startSides, type Sides } from '#bench/sides';
import { measureSources, sourcesReport } from '#bench/sources';
import { measureStored, storedReport } from '#bench/stored';

const WARM_UP_SECONDS = 2;
const PIPELINE_GROUPS = ['publisher', 'drain', 'growth', 'idle-rabbit'] as const;
const RESULTS = fileURLToPath(new URL('results/', import.meta.url));

const say = (text: string): void => void process.stdout.write(text);
/** Shows the current step on one line of a terminal. */
const progress = (text: string): void => void (process.stdout.isTTY && say(`\r\x1b[K${text}`));

await command(async (atEnd) => {
  const options = benchOptions(process.argv.slice(2));
  const figures = FIGURES.filter(({ groups }) => groups.some((group) => options.only.has(group)));
  if (options.against !== undefined) return compareBuilds(options.against, options, atEnd);
  const postgres = await BenchServer.start();
  atEnd(() => postgres.stop());
  const machine = await describeMachine(postgres);
  say(`${machine}\n${options.rounds} rounds of ${options.seconds} s per figure, after a warm-up\n`);

  const rounds: RoundResult[] = [];
  if (figures.length > 0) {
    const sides = await startSides(postgres, atEnd);
    for (let round = 0; round <= options.rounds; round++) {
      const result = await runRound(postgres, sides, round, options, figures);
      if (round > 0) rounds.push(result);
    }
    progress('');
    say(`\n${figureTable(rounds)}\n${verdictTable(rounds)}`);
  }
  const idle = options.only.has('idle') ? await runIdle(postgres) : undefined;
  if (idle) say(`\n${idleReport(idle)}`);
  const pipeline = await runPipeline(postgres, options, atEnd);
  say(pipelineReport(pipeline));
  const worker = await runWorker(postgres, options, atEnd);
  const deliveries = await runDeliveries(postgres, options, atEnd, { say, progress });
  const overhead = options.only.has('overhead') ? await measureOverhead(postgres, options, atEnd) : undefined;
  if (overhead) say(overheadReport(overhead));
  const keys = options.only.has('keys') ? await measureKeys(postgres, options, atEnd) : undefined;
  if (keys) say(keysReport(keys));
  const sources = options.only.has('sources') ? await measureSources(postgres, options, atEnd) : undefined;
  if (sources) say(sourcesReport(sources));
  const setUps = await runSetUps(postgres, options, atEnd);
  const stored = options.only.has('stored') ? await measureStored(postgres, options.rounds, atEnd) : undefined;
  if (stored) say(storedReport(stored));
  const roles = options.only.has('roles') ? await runRoles(postgres, atEnd) : undefined;
  mkdirSync(RESULTS, { recursive: true });
  const kept = {
    machine,
    at: new Date().toISOString(),
    verdicts: verdicts(rounds),
    rounds,
    idle,
    pipeline,
    worker,
    ...deliveries,
    overhead,
    keys,
    sources,
    ...setUps,
    stored,
    roles,
  };
  writeFileSync(`${RESULTS}latest.json`, `${JSON.stringify(kept, null, 2)}\n`);
  return 0;
});

/** Round 0 is the warm-up. */
async function runRound(
  postgres: BenchServer,
  sides: Sides,
  number: number,
  options: BenchOptions,
  figures: typeof FIGURES,
): Promise<RoundResult> {
  await postgres.empty();
  const seconds = number === 0 ? Math.min(WARM_UP_SECONDS, options.seconds) : options.seconds;
  const round = { sides, seconds, source: { type: 'order.paid', run: `r${number}` }, sent: { post: 0, ndjson: 0 } };
  const result: RoundResult = {};
  for (const { name, measure } of figures) {
    progress(`${number === 0 ? 'warm-up' : `round ${number} of ${options.rounds}`}: ${name}`);
    result[name] = await measure(round);
  }
  return result;
}

async function runPipeline(
  postgres: BenchServer,
  { only, rounds }: BenchOptions,
  atEnd: (step: () => Promise<void>) => void,
): Promise<PipelineResult> {
  if (!PIPELINE_GROUPS.some((group) => only.has(group))) return {};
  const rabbit = await BenchRabbit.start();
  atEnd(() => rabbit.stop());
  return new Pipeline(postgres, rabbit).measure(only, rounds);
}

/** Compares set-ups: with and without rejected records, Redis, and a pooler. */
async function runSetUps(
  postgres: BenchServer,
  options: BenchOptions,
  atEnd: (step: () => Promise<void>) => void,
): Promise<object> {
  const { only } = options;
  const rejections = only.has('rejections') ? await measureRejections(postgres, options, progress) : undefined;
  if (rejections) say(rejectionsReport(rejections).text);
  const cache = only.has('cache') ? await measureCache(postgres, options, atEnd) : undefined;
  if (cache) say(cacheReport(cache).text);
  const pooler = only.has('pooler') ? await measurePooler(postgres, options, atEnd) : undefined;
  if (pooler) say(poolerReport(pooler).text);
  return { rejections, cache, pooler };
}

/** Measures the worker on a real RabbitMQ. */
async function runWorker(
  postgres: BenchServer,
  { only, rounds, events }: BenchOptions,
  atEnd: (step: () => Promise<void>) => void,
): Promise<unknown> {
  if (!only.has('worker') && !only.has('fairness')) return undefined;
  const rabbit = await BenchRabbit.start();
  atEnd(() => rabbit.stop());
  const worker = only.has('worker') ? await measureWorker(postgres, rabbit, rounds) : undefined;
  if (worker) say(workerReport(worker));
  const fairness = only.has('fairness') ? await measureFairness(postgres, rabbit, events, progress) : undefined;
  if (fairness) say(fairnessReport(fairness));
  const failingReceiver = only.has('fairness') ? await measureFailingReceiver(postgres, rabbit) : undefined;
  if (failingReceiver) say(failingReceiverReport(failingReceiver));
  return { worker, fairness, failingReceiver };
}

async function runRoles(postgres: BenchServer, atEnd: (step: () => Promise<void>) => void): Promise<unknown> {
  const rabbit = await BenchRabbit.start();
  atEnd(() => rabbit.stop());
  const roles = await measureRoles(postgres, rabbit);
  say(rolesReport(roles));
  return roles;
}

async function runIdle(postgres: BenchServer): Promise<IdleResult> {
  const server = await startAllInOne({ DATABASE_URL: await postgres.createDatabase('all') });
  try {
    return await measureIdle(server.url);
  } finally {
    await server.stop();
  }
}
