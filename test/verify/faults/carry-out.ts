import { setTimeout as sleep } from 'node:timers/promises';
import type { HostNames } from '../landscape/host-names';
import type { Landscape } from '../landscape/landscape';
import type { Outside } from '../load/sender';
import { ofTheRun } from '../run/inconclusive';
import type { Journal } from '../run/journal';
import { leaveUnderLoad } from './balancer';
import { copyMessages, forgeMessages, reorderMessages } from './broker';
import { forgeFacts } from './cache';
import { cancelQueries, cutConnections, deadlockWorkers } from './database';
import { jumpClock } from './clock-jump';
import { forgetConnections } from './forgetful-firewall';
import { whileReadOnly } from './read-only';
import { clock, describeFault, type Fault, type ProcessName, type ScheduledKind, type TargetName } from './schedule';
import { shareHost } from './shared-host';
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
  await HITS[fault.kind](scene, fault.targets[0] as TargetName, fault);
  tell('ends');
  if (fault.forMs > 0) say(`${clock(journal.nowMs)}  ${fault.targets.join(' and ')} back`);
}

/** Causes a fault. Resolves when it is over. */
type Hit = (scene: Scene, target: TargetName, fault: Fault) => Promise<void>;

async function bringBack({ landscape }: Scene, { targets, forMs }: Fault): Promise<void> {
  await sleep(forMs);
  await Promise.all(targets.map((target) => landscape.startAgain(target)));
}

const HITS: Record<ScheduledKind, Hit> = {
  kill: async (scene, target, fault) => {
    await scene.landscape.kill(target);
    await bringBack(scene, fault);
  },
  stop: async ({ landscape }, target, { forMs }) => {
    landscape.freeze(target);
    await sleep(forMs);
    landscape.thaw(target);
  },
  term: async (scene, _, fault) => {
    await scene.landscape.terminate(fault.targets);
    await bringBack(scene, fault);
  },
  leave: (scene, target, fault) => {
    const leaving = { number: fault.number, bringBack: () => bringBack(scene, fault) };
    return leaveUnderLoad(target as ProcessName, leaving, scene);
  },
  hang: async (scene, target, fault) => {
    scene.landscape.freeze(target);
    await sleep(HANGS_MS);
    await scene.landscape.kill(target);
    await bringBack(scene, fault);
  },
  cut: ({ landscape }, target) =>
    target === 'rabbitmq' ? landscape.cutRabbit() : cutConnections(landscape.databaseUrl),
  cancel: ({ landscape }) => cancelQueries(landscape.databaseUrl),
  deadlock: ({ landscape }) => deadlockWorkers(landscape.databaseUrl),
  readonly: ({ landscape }, _, { forMs }) => whileReadOnly(landscape.databaseUrl, forMs),
  forget: ({ landscape, journal }, target) => forgetConnections(target, landscape.network, journal),
  flush: ({ landscape }) => landscape.flushRedis(),
  forge: ({ landscape, outside, journal, seed }, target, { atMs }) =>
    target === 'rabbitmq'
      ? landscape.whileWorkersStop(PILE_UP_MS / 2, () => forgeMessages(landscape.rabbitUrl, seed + atMs, journal))
      : forgeFacts(landscape.redisUrl, seed + atMs, [...outside.sent.keys()]),
  reorder: ({ landscape }) => landscape.whileWorkersStop(PILE_UP_MS / 2, () => reorderMessages(landscape.rabbitUrl)),
  copy: ({ landscape }) => landscape.whileWorkersStop(PILE_UP_MS / 2, () => copyMessages(landscape.rabbitUrl)),
  silence: async ({ names }, _, { forMs }) => {
    names.silence();
    await sleep(forMs);
    names.speak();
  },
  unread: ({ seed, outside }, _, { number }) => readSlowly(seed, number, outside),
  unmount: async ({ landscape, seed, outside }, _, { number, forMs }) => {
    landscape.unmountSpill();
    try {
      await Promise.all([sleep(forMs), readSlowly(seed, number, outside)]);
    } finally {
      landscape.mountSpill();
    }
  },
  jump: ({ landscape, seed }, target, { atMs, forMs }) =>
    jumpClock(landscape, target as ProcessName, { seed: seed + atMs, forMs }),
  share: ({ landscape, journal }, _, { forMs }) => shareHost(landscape, forMs, journal),
  purge: ({ landscape }) => landscape.whileWorkersStop(PILE_UP_MS, () => landscape.purgeQueues()),
  wipe: async (scene, target, fault) => {
    const { landscape } = scene;
    await landscape.whileWorkersStop(PILE_UP_MS, () => landscape.kill(target));
    await ofTheRun('wiping RabbitMQ', async () => landscape.wipeRabbit());
    await bringBack(scene, fault);
  },
};
