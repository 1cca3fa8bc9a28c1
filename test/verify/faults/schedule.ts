import { SeededRandom, seedFor } from '../load/random';

export const ROLE_PROCESSES = ['api-0', 'api-1', 'publisher-0', 'publisher-1', 'worker-0', 'worker-1'] as const;
export const SERVERS = ['postgres', 'redis', 'rabbitmq'] as const;
export type ProcessName = (typeof ROLE_PROCESSES)[number];
export type ServerName = (typeof SERVERS)[number];
/** What stands between the processes and the servers: a pooler, and the connections through a firewall. */
type NetworkName = 'pooler' | `${ServerName}-connections`;
/** The name servers of destinations, and clients that read what they are answered. */
type NeighbourName = 'names' | 'readers';
export type TargetName = ProcessName | ServerName | NetworkName | NeighbourName;

/**
 * - kill: SIGKILL, later a restart. stop: SIGSTOP, later SIGCONT.
 * - term: SIGTERM, as in a rolling update, later a restart. leave: the same, while a balancer goes on sending.
 * - hang: SIGSTOP, then SIGKILL, later a restart. What was sent to the server in between is lost.
 * - cut: the server closes all connections. cancel: pg_cancel_backend on all running statements.
 * - deadlock: the transactions of the workers run into a deadlock and PostgreSQL aborts them.
 * - readonly: PostgreSQL takes no writes.
 * - forget: a firewall passes nothing more on the connections to a server, which stay open. New ones work.
 * - flush: Redis loses all keys. forge: cached facts are overwritten or swapped between keys, or forged messages are
 *   published before the true ones.
 * - reorder: RabbitMQ redelivers waiting messages in another order. copy: waiting messages are published twice.
 * - silence: nobody answers for the hosts of some destinations. unread: clients upload much and do not read the results in
 *   time, or not at all. unmount: they do so while nothing can be written to SPILL_DIRECTORY.
 * - jump: a process runs with a clock that is wrong by hours or months, and starts again before and after that.
 * - share: another installation runs on the same virtual host of RabbitMQ.
 * - purge: the queues are emptied. wipe: RabbitMQ is killed and restarts with an empty disk.
 */
export const FAULT_KINDS = [
  'kill',
  'stop',
  'term',
  'leave',
  'hang',
  'cut',
  'cancel',
  'deadlock',
  'readonly',
  'forget',
  'flush',
  'forge',
  'reorder',
  'copy',
  'silence',
  'unread',
  'unmount',
  'jump',
  'share',
  'purge',
  'wipe',
] as const;
/**
 * How PostgreSQL goes back in time, once and after the load, because it loses events that were acknowledged. failover: an
 * asynchronous standby without the last commits takes over. restore: a dump is restored in place.
 */
export const WAYS_BACK = ['failover', 'restore'] as const;
export type WayBack = (typeof WAYS_BACK)[number];
export type ScheduledKind = (typeof FAULT_KINDS)[number];
export type FaultKind = ScheduledKind | WayBack;

export interface Fault {
  /** Position in the schedule. */
  number: number;
  atMs: number;
  /** All of them fail at the same time. */
  targets: readonly TargetName[];
  kind: ScheduledKind;
  /** How long the targets are down; 0 for faults without duration. */
  forMs: number;
}

interface Card {
  /** One of these fails, or all of them. */
  targets: readonly TargetName[];
  all?: true;
  kind: ScheduledKind;
}

const PAIRS = [
  ['api-0', 'api-1'],
  ['publisher-0', 'publisher-1'],
  ['worker-0', 'worker-1'],
] as const;

const of = (target: ServerName, ...kinds: ScheduledKind[]): Card[] =>
  kinds.map((kind) => ({ targets: [target], kind }));

const HARMLESS: readonly Card[] = [
  ...(['kill', 'stop'] as const).flatMap((kind) => [
    ...PAIRS.map((targets) => ({ targets, kind })),
    ...SERVERS.map((server) => ({ targets: [server], kind })),
  ]),
  { targets: PAIRS[0], kind: 'term' },
  { targets: PAIRS[0], kind: 'leave' },
  { targets: PAIRS[1], all: true, kind: 'term' },
  { targets: PAIRS[2], all: true, kind: 'term' },
  ...of('postgres', 'hang', 'cut', 'cancel', 'deadlock', 'readonly'),
  ...of('rabbitmq', 'hang', 'cut', 'reorder', 'copy', 'forge'),
  ...of('redis', 'flush', 'forge'),
  ...(['kill', 'stop'] as const).map((kind) => ({ targets: ['pooler'], kind }) as const),
  ...SERVERS.map((server) => ({ targets: [`${server}-connections`], kind: 'forget' }) as const),
  { targets: ['names'], kind: 'silence' },
  { targets: ['readers'], kind: 'unread' },
  // Both apis: one that starts meanwhile would refuse to.
  { targets: PAIRS[0], all: true, kind: 'unmount' },
  ...of('rabbitmq', 'share'),
  ...PAIRS.map((targets) => ({ targets, kind: 'jump' }) as const),
];

/** These lose messages that RabbitMQ had confirmed. Only the reconciler can dispatch them again. */
const LOSING: readonly Card[] = of('rabbitmq', 'purge', 'wipe');

const MOMENTARY: readonly FaultKind[] = [
  ...(['cut', 'cancel', 'deadlock', 'flush', 'forge', 'reorder', 'copy', 'purge'] as const),
  'unread', // it ends with its clients
  'forget', // it ends when the processes have replaced their connections
];

/** Time before the first fault. No fault can explain what goes wrong in it. */
const CALM_MS = 5_000;
const GAP_MS = { least: 800, most: 3_000 };
const GONE_MS = { least: 200, most: 4_000 };
/** Longer than RabbitMQ's heartbeat timeout: it redelivers the messages of the stopped process, which then continues with them. */
const LONG_STOP = { share: 0.15, least: 8_000, most: 22_000 };

/** Longer than the 5 s for which a worker remembers an address. */
const SILENT_MS = { least: 13_000, most: 16_000 };
/** About as long as it takes to end a client that reads nothing. */
const UNMOUNTED_MS = { least: 8_000, most: 10_000 };
const WRONG_CLOCK_MS = { least: 4_500, most: 7_500 };
/** A process that is refused tries again every three seconds. */
const SHARED_MS = { least: 4_000, most: 6_000 };

/** Time that a target gets to recover on a slow machine before its next fault. */
function recoveryMs(target: TargetName, kind: FaultKind): number {
  const anew = ['kill', 'hang', 'wipe', 'term', 'leave', 'jump'].includes(kind);
  if (target === 'rabbitmq') return anew ? 30_000 : 5_000;
  if (target === 'redis') return 1_000;
  if (target === 'readers') return 20_000;
  if (target.endsWith('-connections')) return 30_000;
  return anew ? 6_000 : 3_000;
}

/**
 * Plans the faults of a run. Kinds are dealt like cards, so that each gets its turn. A kind whose targets are all down waits.
 * @param options.kinds if set, only these kinds, such as `kill-worker`
 */
export function faultSchedule(
  seed: number,
  seconds: number,
  { loses, kinds }: { loses: boolean; kinds?: readonly string[] | undefined },
): Fault[] {
  const random = new SeededRandom(seedFor(seed, 'faults'));
  const all = loses ? [...HARMLESS, ...LOSING] : HARMLESS;
  const cards = kinds ? all.filter((card) => kinds.includes(kindOf(card))) : all;
  const faults: Fault[] = [];
  const busyUntilMs = new Map<TargetName, number>();
  let deck: Card[] = [];
  for (let atMs = CALM_MS; atMs < seconds * 1000; atMs += random.between(GAP_MS.least, GAP_MS.most)) {
    const isFree = (target: TargetName): boolean => (busyUntilMs.get(target) ?? 0) <= atMs;
    const canBeDealt = ({ targets, all }: Card): boolean => (all ? targets.every(isFree) : targets.some(isFree));
    if (!deck.some(canBeDealt)) deck.push(...random.shuffled(cards.filter((card) => !deck.includes(card))));
    const card = deck.find(canBeDealt);
    if (!card) continue;
    deck = deck.filter((other) => other !== card);
    const targets = card.all ? card.targets : [random.pick(card.targets.filter(isFree))];
    const forMs = goneMs(random, card);
    for (const target of targets) busyUntilMs.set(target, atMs + forMs + recoveryMs(target, card.kind));
    faults.push({ number: faults.length, atMs, targets, kind: card.kind, forMs });
  }
  return faults;
}

/** How PostgreSQL goes back at the end of a run; undefined if `kinds` leaves it out. */
export function wayBack(seed: number, kinds?: readonly string[]): WayBack | undefined {
  const ways = WAYS_BACK.filter((way) => kinds?.includes(`${way}-postgres`) ?? true);
  return ways[Math.floor(seed / 2) % ways.length]; // with the reconciler for every second seed, and without
}

/** The name by which a kind is chosen, such as `kill-worker`. */
const kindOf = ({ kind, targets }: Card): string => `${kind}-${targets[0]?.split('-')[0]}`;

function goneMs(random: SeededRandom, { targets, kind }: Card): number {
  if (MOMENTARY.includes(kind)) return 0;
  if (kind === 'silence') return random.between(SILENT_MS.least, SILENT_MS.most);
  if (kind === 'unmount') return random.between(UNMOUNTED_MS.least, UNMOUNTED_MS.most);
  if (kind === 'jump') return random.between(WRONG_CLOCK_MS.least, WRONG_CLOCK_MS.most);
  if (kind === 'share') return random.between(SHARED_MS.least, SHARED_MS.most);
  const mayBeLong = kind === 'stop' && targets.length > 1; // a process, not one of the servers that all depend on
  const range = random.chance(LONG_STOP.share) && mayBeLong ? LONG_STOP : GONE_MS;
  return random.between(range.least, range.most);
}

export function describeFault({ targets, kind, forMs }: Fault): string {
  return `${kind} ${targets.join(' and ')}${forMs === 0 ? '' : ` for ${(forMs / 1000).toFixed(1)} s`}`;
}

export function clock(ms: number): string {
  return `${(ms / 1000).toFixed(1).padStart(6)} s`;
}
