import { faultSchedule, type Fault } from '../faults/schedule';
import { settingsOf } from '../landscape/settings';

/** What a seed decides of a run, apart from the load. */
export interface Plan {
  /**
   * Every other seed loses nothing that RabbitMQ had confirmed, and has no reconciler to make good what the product loses:
   * it must come to rest all the same.
   */
  reconciles: boolean;
  settings: Record<string, string>;
  faults: readonly Fault[];
}

/** Of the faults that the seed would bring, some alone. */
export interface Choice {
  numbers?: readonly number[];
  /** Such as `kill-worker`. Others of these kinds take the place of those that are left out. */
  kinds?: readonly string[];
}

export function planOf(seed: number, seconds: number, { numbers, kinds }: Choice = {}): Plan {
  const reconciles = seed % 2 !== 0;
  const faults = faultSchedule(seed, seconds, { loses: reconciles, kinds });
  return {
    reconciles,
    settings: settingsOf({ reconciles }),
    faults: numbers ? faults.filter(({ number }) => numbers.includes(number)) : faults,
  };
}
