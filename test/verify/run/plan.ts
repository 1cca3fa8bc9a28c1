import { faultSchedule, wayBack, type Fault, type WayBack } from '../faults/schedule';
import { settingsOf } from '../landscape/settings';

/** What the seed decides about a run, except the load. */
export interface Plan {
  /**
   * False for even seeds: the reconciler dispatches nothing again, and no fault loses confirmed messages. Everything has to
   * come to rest without it.
   */
  reconciles: boolean;
  settings: Record<string, string>;
  faults: readonly Fault[];
  /** How PostgreSQL goes back in time when the load has ended. */
  goesBack: WayBack | undefined;
}

/** Restricts the faults of the seed. */
export interface Choice {
  numbers?: readonly number[];
  /** Such as `kill-worker`. More faults of these kinds replace those that are left out. */
  kinds?: readonly string[];
}

export function planOf(seed: number, seconds: number, { numbers, kinds }: Choice = {}): Plan {
  const reconciles = seed % 2 !== 0;
  const faults = faultSchedule(seed, seconds, { loses: reconciles, kinds });
  return {
    reconciles,
    settings: settingsOf({ reconciles }),
    faults: numbers ? faults.filter(({ number }) => numbers.includes(number)) : faults,
    goesBack: wayBack(seed, kinds),
  };
}
