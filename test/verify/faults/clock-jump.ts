import { setTimeout as sleep } from 'node:timers/promises';
import { FakeClock } from '../../support/fixtures/fake-clock';
import type { Landscape } from '../landscape/landscape';
import { SeededRandom } from '../load/random';
import type { ProcessName } from './schedule';

const HOUR_SECONDS = 3_600;
const JUMPS_SECONDS = [2 * HOUR_SECONDS, 90 * 24 * HOUR_SECONDS].flatMap((seconds) => [seconds, -seconds]);
/** The others start with a clock that is right, which jumps while they run. */
const STARTS_WRONG_SHARE = 0.5;

/**
 * A process is killed and runs with a clock of its own for `forMs`, wrong from the start or after a third of the time. The
 * clock becomes right again while it runs. Then the process is killed and starts with the clock of the machine.
 * @throws Inconclusive
 */
export async function jumpClock(
  landscape: Landscape,
  target: ProcessName,
  { seed, forMs }: { seed: number; forMs: number },
): Promise<void> {
  const random = new SeededRandom(seed);
  const seconds = random.pick(JUMPS_SECONDS);
  const clock = new FakeClock();
  try {
    if (random.chance(STARTS_WRONG_SHARE)) clock.set(seconds);
    await landscape.kill(target);
    await landscape.startAgain(target, clock.env);
    await sleep(forMs / 3);
    clock.set(seconds);
    await sleep(forMs / 3);
    clock.set(0);
    await sleep(forMs / 3);
    await landscape.kill(target);
    await landscape.startAgain(target);
  } finally {
    clock.remove();
  }
}
