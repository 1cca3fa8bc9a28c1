import { otherBuild, ownBuild, type Build } from '#bench/against/build';
import { Side } from '#bench/against/side';
import type { BenchServer } from '#bench/databases';
import type { BenchOptions } from '#bench/options';
import { fixed, shown, spread } from '#bench/statistics';

/** A median ratio below this fails. */
const LEAST_RATIO = 0.9;

/** Records per second of NDJSON. */
interface Round {
  /** One record in ten is rejected. */
  rejecting: number;
  /** The same load on the build to compare with. */
  old?: number;
  /** No record is rejected. */
  none: number;
  /** Share of the rejections that are not known to be kept when their response is sent. */
  notKept: number;
}
export type RejectionsResult = Round[];

/**
 * NDJSON with and without rejected records. All loads take turns within a round, and each round starts with another one.
 * With `against`, that build takes its turns with rejected records too.
 */
export async function measureRejections(
  postgres: BenchServer,
  { rounds, seconds, against }: Pick<BenchOptions, 'rounds' | 'seconds' | 'against'>,
  progress: (text: string) => void,
): Promise<RejectionsResult> {
  const side = (name: string, build: Build): Promise<Side> => Side.create(`rejections_${name}`, build, postgres);
  const own = await side('new', ownBuild());
  const old = against === undefined ? undefined : await side('old', otherBuild(against));
  const result: RejectionsResult = [];
  for (let n = 0; n <= rounds; n++) {
    progress(`rejections: ${n === 0 ? 'warm-up' : `round ${n} of ${rounds}`}`);
    const round: Round = { rejecting: Number.NaN, none: Number.NaN, notKept: Number.NaN };
    const time = n === 0 ? Math.min(1, seconds) : seconds;
    const turns = [
      async (): Promise<void> => {
        const { perSecond, kept, notKept } = await own.rejecting(time);
        round.rejecting = perSecond;
        round.notKept = notKept / (kept + notKept);
      },
      async (): Promise<void> => void (round.none = await own.stream(time)),
      ...(old ? [async (): Promise<void> => void (round.old = (await old.rejecting(time)).perSecond)] : []),
    ];
    for (let turn = 0; turn < turns.length; turn++) await turns[(turn + n) % turns.length]?.();
    if (n > 0) result.push(round);
  }
  return result;
}

/** The lines of a report, and whether every ratio is high enough. */
export function rejectionsReport(rounds: RejectionsResult): { text: string; holds: boolean } {
  const of = (figure: keyof Round): number[] => rounds.map((round) => round[figure] ?? Number.NaN);
  const isCompared = rounds.some(({ old }) => old !== undefined);
  const rates = [
    `rejections, 1 of 10 records rejected: ${shown(of('rejecting'), 0)} records/s of NDJSON; ` +
      `${fixed(spread(of('notKept')).median * 100, 1)} % of the rejections reported as not kept`,
    ...(isCompared ? [`  the old build: ${shown(of('old'), 0)}`] : []),
    `  none rejected: ${shown(of('none'), 0)}`,
  ];
  const ratios = [...(isCompared ? (['old'] as const) : []), 'none' as const].map((below) => ({
    what: below === 'old' ? 'of the rate of the old build' : 'of the rate with none rejected',
    values: rounds.map((round) => round.rejecting / (round[below] ?? Number.NaN)),
  }));
  const isHigh = (values: readonly number[]): boolean => spread(values).median >= LEAST_RATIO;
  const lines = ratios.map(({ what, values }) => {
    return `${isHigh(values) ? 'PASS' : 'FAIL'} ${shown(values, 3)} ${what} (wanted >= ${LEAST_RATIO})`;
  });
  return { text: `${[...rates, ...lines].join('\n')}\n`, holds: ratios.every(({ values }) => isHigh(values)) };
}
