import { setTimeout as sleep } from 'node:timers/promises';
import { clock, describeFault, type Fault, type TargetName } from './faults';
import type { Landscape } from './landscape';

/** So long do messages pile up before they are lost: in a queue that workers keep empty there would be none. */
const PILE_UP_MS = 2_500;

/** Carries a schedule out. Resolves when its last fault is over and everything is up again. */
export async function carryOut(
  faults: readonly Fault[],
  landscape: Landscape,
  tell: (text: string) => void,
): Promise<void> {
  const startedMs = Date.now();
  const now = (): number => Date.now() - startedMs;
  const byTarget = Map.groupBy(faults, ({ target }) => target);
  // One after the other for each target, late if need be; those of different targets overlap.
  await Promise.all(
    [...byTarget].map(async ([target, own]) => {
      for (const fault of own) {
        await sleep(Math.max(0, fault.atMs - now()));
        tell(`${clock(now())}  ${describeFault(fault)}`);
        await commit(fault, target, landscape);
        if (fault.forMs > 0) tell(`${clock(now())}  ${target} is back`);
      }
    }),
  );
}

async function commit({ kind, forMs }: Fault, name: TargetName, landscape: Landscape): Promise<void> {
  const target = landscape.target(name);
  switch (kind) {
    case 'cut':
      return landscape.cutConnections(name);
    case 'flush':
      return landscape.flushRedis();
    case 'purge':
      return landscape.whileWorkersStop(PILE_UP_MS, () => landscape.purgeQueues());
    case 'stop':
      target.freeze();
      await sleep(forMs);
      return target.thaw();
    case 'kill':
      await target.kill();
      await sleep(forMs);
      return target.startAgain();
    case 'wipe':
      await landscape.whileWorkersStop(PILE_UP_MS, () => target.kill());
      landscape.wipeRabbit();
      await sleep(forMs);
      return target.startAgain();
  }
}
