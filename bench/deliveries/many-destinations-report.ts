import { ownBuild, type Build } from '#bench/against/build';
import type { BenchServer } from '#bench/databases';
import { boundLine, holds, type Bound } from '#bench/deliveries/bounds';
import { startReceiver } from '#bench/deliveries/gateway';
import { DEAD, ManyDestinationsSide, type ManyDestinations } from '#bench/deliveries/many-destinations';
import { shown } from '#bench/statistics';

const MOST_RATIO = 2;
/** As for the rates of other groups (bench/against/comparison.ts), a difference of 3 % is noise. */
const MOST_CPU_RATIO = 1.03;

interface Round {
  healthy: ManyDestinations;
  withDead: ManyDestinations;
}
export type ManyDestinationsResult = Round[];
export type ManyDestinationsComparison = { old: Round; new: Round }[];

/** 500 events a second, with none and with 50 of 1,000 destinations dead. The two take turns. */
export function measureManyDestinations(
  postgres: BenchServer,
  rounds: number,
  progress: (text: string) => void,
): Promise<ManyDestinationsResult> {
  return withSides({ this: ownBuild() }, postgres, async (sides) => {
    const result: ManyDestinationsResult = [];
    for (let n = 1; n <= rounds; n++) {
      progress(`many-destinations: round ${n} of ${rounds}`);
      result.push(await measureRound(sides.this, n));
    }
    return result;
  });
}

/** The same for two builds, which take turns too. */
export function compareManyDestinations(
  builds: { old: Build; new: Build },
  postgres: BenchServer,
  rounds: number,
): Promise<ManyDestinationsComparison> {
  return withSides(builds, postgres, async (sides) => {
    const result: ManyDestinationsComparison = [];
    for (let n = 1; n <= rounds; n++) {
      const old = await measureRound(sides.old, n);
      result.push({ old, new: await measureRound(sides.new, n) });
    }
    return result;
  });
}

async function withSides<Name extends string, T>(
  builds: Record<Name, Build>,
  postgres: BenchServer,
  work: (sides: Record<Name, ManyDestinationsSide>) => Promise<T>,
): Promise<T> {
  const receiver = await startReceiver();
  try {
    const sides = Object.entries<Build>(builds).map(
      ([name, build]) => [name, new ManyDestinationsSide(name, build, postgres, receiver)] as const,
    );
    for (const [, side] of sides) await side.prepare();
    return await work(Object.fromEntries(sides) as Record<Name, ManyDestinationsSide>);
  } finally {
    await receiver.stop();
  }
}

async function measureRound(side: ManyDestinationsSide, n: number): Promise<Round> {
  const healthy = await side.measure(0, `healthy-${n}`);
  return { healthy, withDead: await side.measure(DEAD, `dead-${n}`) };
}

export function manyDestinationsReport(rounds: ManyDestinationsResult): string {
  return (
    linesOf('many-destinations', rounds) +
    boundLine({
      what: `p99 of the healthy ones with ${DEAD} dead / with none`,
      values: rounds.map(({ healthy, withDead }) => withDead.p99Ms / healthy.p99Ms),
      most: MOST_RATIO,
      digits: 2,
    })
  );
}

export function manyDestinationsComparison(rounds: ManyDestinationsComparison): { text: string; holds: boolean } {
  const cpu = ({ gatewayUs, postgresUs }: ManyDestinations): number => gatewayUs + postgresUs;
  const bound = (what: string, of: keyof Round): Bound => ({
    what: `CPU per delivery ${what}, new / old`,
    values: rounds.map((round) => cpu(round.new[of]) / cpu(round.old[of])),
    most: MOST_CPU_RATIO,
    digits: 2,
  });
  const bounds = [bound('with none dead', 'healthy'), bound(`with ${DEAD} dead`, 'withDead')];
  const lines = (['old', 'new'] as const).map((side) =>
    linesOf(
      `many-destinations, ${side}`,
      rounds.map((round) => round[side]),
    ),
  );
  return { text: [...lines, ...bounds.map(boundLine)].join(''), holds: bounds.every(holds) };
}

function linesOf(name: string, rounds: readonly Round[]): string {
  const line = (what: string, of: keyof Round): string => {
    const column = (figure: keyof ManyDestinations): string =>
      shown(
        rounds.map((round) => round[of][figure]),
        0,
      );
    return (
      `${what}: accept to delivery p50 ${column('p50Ms')} ms, p99 ${column('p99Ms')} ms; per delivery ` +
      `${column('gatewayUs')} µs of CPU in the gateway, ${column('postgresUs')} µs in PostgreSQL, ` +
      `${column('walBytes')} bytes of WAL\n`
    );
  };
  return (
    line(`${name}, 500 events/s to 1,000 destinations of 100 tenants`, 'healthy') +
    line(`  ${DEAD} of them dead`, 'withDead')
  );
}
