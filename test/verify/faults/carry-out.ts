import { setTimeout as sleep } from 'node:timers/promises';
import type { HostNames } from '../landscape/host-names';
import type { Landscape } from '../landscape/landscape';
import type { Outside } from '../load/sender';
import { ofTheRun } from '../run/inconclusive';
import type { Journal } from '../run/journal';
import { copyMessages, forgeMessages, reorderMessages } from './broker';
import { forgeFacts } from './cache';
import { cancelQueries, cutConnections, deadlockWorkers } from './database';
import { clock, describeFault, type Fault, type TargetName } from './schedule';
import { readSlowly } from './slow-readers';

/** How long the workers stand still first, so that messages wait in the queues. */
const PILE_UP_MS = 2_500;
const HANGS_MS = 700;

export interface Scene {
  landscape: Landscape;
  names: HostNames;
  outside: Outside;
  journal: Journal;
  seed: number;
  /** Faults that could only begin later than this after the start are left out. */
  latestMs: number;
  say: (line: string) => void;
}

/**
 * Carries out the schedule. Faults of one target follow each other, late if necessary: on a slow machine a restart takes
 * longer than planned. Faults of different targets overlap. Resolves when the last fault is over and everything is up again.
 */
export async function carryOut(faults: readonly Fault[], scene: Scene): Promise<void> {
  const startedMs = Date.now();
  const free = new Map<TargetName, Promise<void>>();
  const done = faults.map((fault) => {
    const before = Promise.all(fault.targets.map(async (target) => free.get(target)));
    const over = before.then(async () => {
      await sleep(Math.max(0, fault.atMs - (Date.now() - startedMs)));
      if (Date.now() - startedMs > scene.latestMs) scene.say(`too late for ${describeFault(fault)}`);
      else await carryOutOne(fault, scene);
    });
    for (const target of fault.targets) free.set(target, over);
    return over;
  });
  await Promise.all(done);
}

async function carryOutOne(fault: Fault, scene: Scene): Promise<void> {
  const { journal, say } = scene;
  const text = describeFault(fault);
  const tell = (phase: 'begins' | 'ends'): void => {
    for (const target of fault.targets) {
      journal.append({ kind: 'fault', phase, fault: fault.number, what: fault.kind, target, text });
    }
  };
  say(`${clock(journal.nowMs)}  ${text}`);
  tell('begins');
  await hit(fault, scene);
  tell('ends');
  if (fault.forMs > 0) say(`${clock(journal.nowMs)}  ${fault.targets.join(' and ')} back`);
}

async function hit(fault: Fault, scene: Scene): Promise<void> {
  const { landscape, names, outside, journal, seed } = scene;
  const [target] = fault.targets as [TargetName];
  const andBack = async (): Promise<void> => {
    await sleep(fault.forMs);
    await Promise.all(fault.targets.map((one) => landscape.startAgain(one)));
  };
  switch (fault.kind) {
    case 'stop':
      landscape.freeze(target);
      await sleep(fault.forMs);
      return landscape.thaw(target);
    case 'kill':
      await landscape.kill(target);
      return andBack();
    case 'hang':
      landscape.freeze(target);
      await sleep(HANGS_MS);
      await landscape.kill(target);
      return andBack();
    case 'term':
      await landscape.terminate(fault.targets);
      return andBack();
    case 'cut':
      return target === 'rabbitmq' ? landscape.cutRabbit() : cutConnections(landscape.databaseUrl);
    case 'cancel':
      return cancelQueries(landscape.databaseUrl);
    case 'deadlock':
      return deadlockWorkers(landscape.databaseUrl);
    case 'flush':
      return landscape.flushRedis();
    case 'forge':
      if (target !== 'rabbitmq') return forgeFacts(landscape.redisUrl, seed + fault.atMs, [...outside.sent.keys()]);
      return landscape.whileWorkersStop(PILE_UP_MS / 2, () =>
        forgeMessages(landscape.rabbitUrl, seed + fault.atMs, journal),
      );
    case 'reorder':
      return landscape.whileWorkersStop(PILE_UP_MS / 2, () => reorderMessages(landscape.rabbitUrl));
    case 'copy':
      return landscape.whileWorkersStop(PILE_UP_MS / 2, () => copyMessages(landscape.rabbitUrl));
    case 'silence':
      names.silence();
      await sleep(fault.forMs);
      return names.speak();
    case 'unread':
      return readSlowly(seed, fault.number, outside);
    case 'unmount':
      landscape.unmountSpill();
      try {
        await Promise.all([sleep(fault.forMs), readSlowly(seed, fault.number, outside)]);
      } finally {
        landscape.mountSpill();
      }
      return;
    case 'purge':
      return landscape.whileWorkersStop(PILE_UP_MS, () => landscape.purgeQueues());
    case 'wipe':
      await landscape.whileWorkersStop(PILE_UP_MS, () => landscape.kill(target));
      await ofTheRun('wiping RabbitMQ', async () => landscape.wipeRabbit());
      return andBack();
  }
}
