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

/** @param chosen of the faults, those with these numbers alone */
export function planOf(seed: number, seconds: number, chosen?: readonly number[]): Plan {
  const reconciles = seed % 2 !== 0;
  const faults = faultSchedule(seed, seconds, { loses: reconciles });
  return {
    reconciles,
    settings: settingsOf({ reconciles }),
    faults: chosen ? faults.filter(({ number }) => chosen.includes(number)) : faults,
  };
}
