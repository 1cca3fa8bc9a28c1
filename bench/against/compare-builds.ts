import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { otherBuild, ownBuild, type Build } from '#bench/against/build';
import { compared, comparisonTable, type Pair } from '#bench/against/comparison';
import { Side } from '#bench/against/side';
import { compareWithRedis } from '#bench/cache';
import { BenchServer } from '#bench/databases';
import { compareManyDestinations, manyDestinationsComparison } from '#bench/deliveries/many-destinations-report';
import { describeMachine } from '#bench/machine';
import { COMPARED_GROUPS, type BenchOptions, type ComparedGroup } from '#bench/options';
import { BenchRabbit } from '#bench/rabbit';
import { measureRejections, rejectionsReport } from '#bench/rejections';
import { fixed } from '#bench/statistics';

const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));
const MEANT_ROUNDS = 7;

type AtEnd = (step: () => Promise<void>) => void;
type Rates = Partial<Record<ComparedGroup, number>>;
/** Measures a build; one measurement may cover several groups. */
type Measure = (side: Side, seconds: number) => Promise<Rates>;

const say = (text: string): void => void process.stdout.write(text);

/**
 * Compares another build of StreamForge with the build of this tree. Each runs as whole processes with its own schema. They
 * share the servers and the load generator, and take turns; the order changes each round.
 * @returns the exit code: 0 if no group has lost speed.
 */
export async function compareBuilds(against: string, options: BenchOptions, atEnd: AtEnd): Promise<number> {
  const builds = { old: otherBuild(against), new: ownBuild() };
  const postgres = await BenchServer.start();
  atEnd(() => postgres.stop());
  const machine = await describeMachine(postgres);
  say(`${machine}\nold ${builds.old.name}, new ${builds.new.name}: ${options.rounds} rounds after a warm-up\n`);
  const results = [];
  if (COMPARED_GROUPS.some((group) => options.only.has(group))) {
    results.push(await compareRates(builds, postgres, options, atEnd));
  }
  if (options.only.has('many-destinations')) {
    const rounds = await compareManyDestinations(builds, postgres, options.rounds);
    const { text, holds } = manyDestinationsComparison(rounds);
    say(`\n${text}`);
    results.push({ manyDestinations: rounds, holds });
  }
  if (options.only.has('rejections')) {
    const rounds = await measureRejections(postgres, options, () => undefined);
    const { text, holds } = rejectionsReport(rounds);
    say(`\n${text}`);
    results.push({ rejections: rounds, holds });
  }
  if (options.only.has('cache')) {
    const { text, ...cache } = await compareWithRedis(postgres, { ...options, against }, atEnd);
    say(`\n${text}`);
    results.push({ cache, holds: cache.holds });
  }
  if (options.rounds < MEANT_ROUNDS)
    say(`Fewer than ${MEANT_ROUNDS} rounds: use the result only as a rough indication.\n`);
  keep(Object.assign({ machine, old: builds.old.name, new: builds.new.name }, ...results) as object);
  return results.every(({ holds }) => holds) ? 0 : 1;
}

async function compareRates(
  builds: { old: Build; new: Build },
  postgres: BenchServer,
  options: BenchOptions,
  atEnd: AtEnd,
): Promise<{ groups: object; rounds: object; holds: boolean }> {
  const sides = {
    old: await Side.create('old', builds.old, postgres),
    new: await Side.create('new', builds.new, postgres),
  };
  const measures = await prepareMeasures(sides, options, atEnd);

  const groups = COMPARED_GROUPS.filter((group) => options.only.has(group));
  const rounds: Record<string, Pair>[] = [];
  for (let round = 0; round <= options.rounds; round++) {
    const pairs = await runRound(sides, measures, round, options);
    if (round === 0) continue;
    rounds.push(pairs);
    say(`round ${round}, new / old: ${groups.map((group) => `${group} ${shownRatio(pairs[group])}`).join(', ')}\n`);
  }
  const results = new Map(groups.map((group) => [group, compared(rounds.flatMap((pairs) => pairs[group] ?? []))]));
  say(`\n${comparisonTable(results)}`);
  return { groups: Object.fromEntries(results), rounds, holds: [...results.values()].every(({ holds }) => holds) };
}

function shownRatio(pair: Pair | undefined): string {
  return pair ? fixed(pair.new / pair.old, 3) : 'not measured';
}

async function prepareMeasures(
  sides: { old: Side; new: Side },
  { only, events }: BenchOptions,
  atEnd: AtEnd,
): Promise<Measure[]> {
  const measures: Measure[] = [];
  if (only.has('single')) measures.push(async (side, seconds) => ({ single: await side.single(seconds) }));
  if (only.has('stream')) measures.push(async (side, seconds) => ({ stream: await side.stream(seconds) }));
  if (only.has('publisher') || only.has('worker') || only.has('drain')) {
    const rabbit = await BenchRabbit.start();
    atEnd(() => rabbit.stop());
    await sides.old.prepareBacklog('old_backlog', events);
    await sides.new.prepareBacklog('new_backlog', events);
    if (only.has('publisher') || only.has('worker')) measures.push((side) => side.oneByOne(rabbit, only.has('worker')));
    if (only.has('drain')) measures.push(async (side) => ({ drain: await side.together(rabbit) }));
  }
  return measures;
}

/** Round 0 warms up the servers. */
async function runRound(
  sides: { old: Side; new: Side },
  measures: readonly Measure[],
  number: number,
  { seconds }: BenchOptions,
): Promise<Record<string, Pair>> {
  const order = number % 2 === 0 ? (['new', 'old'] as const) : (['old', 'new'] as const);
  const pairs: Record<string, Pair> = {};
  for (const measure of measures) {
    for (const side of order) {
      const rates = await measure(sides[side], number === 0 ? Math.min(1, seconds) : seconds);
      for (const [group, rate] of Object.entries(rates)) {
        pairs[group] ??= { old: Number.NaN, new: Number.NaN };
        pairs[group][side] = rate;
      }
    }
  }
  return pairs;
}

function keep(result: object): void {
  mkdirSync(RESULTS, { recursive: true });
  const json = JSON.stringify({ at: new Date().toISOString(), ...result }, null, 2);
  writeFileSync(`${RESULTS}latest-against.json`, `${json}\n`);
}
