import type { BenchServer } from '#bench/databases';
import { manyDestinationsReport, measureManyDestinations } from '#bench/deliveries/many-destinations-report';
import { measureOrdering, orderingReport } from '#bench/deliveries/ordering';
import { measureRetrying, retryingReport } from '#bench/deliveries/retrying';
import { measureThreeDestinations, threeDestinationsReport } from '#bench/deliveries/three-destinations';
import { destinationsReport, measureDestinations } from '#bench/destinations';
import type { BenchOptions } from '#bench/options';
import { BenchRabbit } from '#bench/rabbit';

interface Output {
  say: (text: string) => void;
  progress: (text: string) => void;
}

/** The groups that deliver to HTTP destinations. Returns what each has measured. */
export async function runDeliveries(
  postgres: BenchServer,
  options: BenchOptions,
  atEnd: (step: () => Promise<void>) => void,
  { say, progress }: Output,
): Promise<object> {
  const { only, rounds } = options;
  const results: Record<string, unknown> = {};
  const run = async <T>(name: string, measure: () => Promise<T>, report: (result: T) => string): Promise<void> => {
    const result = await measure();
    progress('');
    say(`\n${report(result)}`);
    results[name] = result;
  };
  if (only.has('destinations') || only.has('isolation')) {
    const groups = { bursts: only.has('destinations') ? rounds : 0, steady: only.has('isolation') };
    await run('destinations', () => measureDestinations(postgres, groups, progress), destinationsReport);
  }
  if (only.has('three-destinations')) {
    await run('three', () => measureThreeDestinations(postgres, rounds, progress), threeDestinationsReport);
  }
  if (only.has('many-destinations')) {
    await run('many', () => measureManyDestinations(postgres, rounds, progress), manyDestinationsReport);
  }
  if (only.has('ordering')) {
    await run('ordering', () => measureOrdering(postgres, rounds, progress), orderingReport);
  }
  if (only.has('retrying')) {
    const rabbit = await BenchRabbit.start();
    atEnd(() => rabbit.stop());
    await run('retrying', () => measureRetrying(postgres, rabbit, rounds, progress), retryingReport);
  }
  return results;
}
