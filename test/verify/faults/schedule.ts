import { SeededRandom, seedFor } from '../load/random';

export const ROLE_PROCESSES = ['api-0', 'api-1', 'publisher-0', 'publisher-1', 'worker-0', 'worker-1'] as const;
export const SERVERS = ['postgres', 'redis', 'rabbitmq'] as const;
export type ProcessName = (typeof ROLE_PROCESSES)[number];
export type ServerName = (typeof SERVERS)[number];
export type TargetName = ProcessName | ServerName;

/**
 * - kill: SIGKILL, and started again afterwards. stop: SIGSTOP, and SIGCONT afterwards.
 * - term: SIGTERM, as in a rolling update; started again afterwards.
 * - hang: SIGSTOP, and then SIGKILL: what it was sent meanwhile is lost. Started again afterwards.
 * - cut: the server closes all connections. cancel: PostgreSQL cancels what runs.
 * - deadlock: PostgreSQL ends the workers' transactions, which got into a deadlock.
 * - flush: Redis forgets everything. forge: cached facts are garbage, or stand under each other's keys.
 * - reorder: RabbitMQ delivers messages again, in another order. copy: it delivers some twice.
 * - purge: the queues lose what waits in them. wipe: RabbitMQ is killed and comes back with an empty disk.
 */
export type FaultKind =
  | 'kill'
  | 'stop'
  | 'term'
  | 'hang'
  | 'cut'
  | 'cancel'
  | 'deadlock'
  | 'flush'
  | 'forge'
  | 'reorder'
  | 'copy'
  | 'purge'
  | 'wipe';

export interface Fault {
  /** Its place in the schedule. */
  number: number;
  atMs: number;
  /** Hit at once. */
  targets: readonly TargetName[];
  kind: FaultKind;
  /** How long it is gone; 0 for what happens in a moment. */
  forMs: number;
}

interface Card {
  /** One of these is hit, or all of them. */
  targets: readonly TargetName[];
  all?: true;
  kind: FaultKind;
}

const PAIRS = [
  ['api-0', 'api-1'],
  ['publisher-0', 'publisher-1'],
  ['worker-0', 'worker-1'],
] as const;

const of = (target: ServerName, ...kinds: FaultKind[]): Card[] => kinds.map((kind) => ({ targets: [target], kind }));

const HARMLESS: readonly Card[] = [
  ...(['kill', 'stop'] as const).flatMap((kind) => [
    ...PAIRS.map((targets) => ({ targets, kind })),
    ...SERVERS.map((server) => ({ targets: [server], kind })),
  ]),
  { targets: PAIRS[0], kind: 'term' },
  { targets: PAIRS[1], all: true, kind: 'term' },
  { targets: PAIRS[2], all: true, kind: 'term' },
  ...of('postgres', 'hang', 'cut', 'cancel', 'deadlock'),
  ...of('rabbitmq', 'hang', 'cut', 'reorder', 'copy'),
  ...of('redis', 'flush', 'forge'),
];

/** What RabbitMQ had confirmed is gone; only the reconciler can make it good. */
const LOSING: readonly Card[] = of('rabbitmq', 'purge', 'wipe');

const MOMENTARY: readonly FaultKind[] = ['cut', 'cancel', 'deadlock', 'flush', 'forge', 'reorder', 'copy', 'purge'];

/** Before the first fault: whatever happens then has no fault to explain it. */
const CALM_MS = 5_000;
const GAP_MS = { least: 800, most: 3_000 };
const GONE_MS = { least: 200, most: 4_000 };
/** Beyond RabbitMQ's heartbeats: it gives a stopped process up, which then wakes with what it held. */
const LONG_STOP = { share: 0.15, least: 8_000, most: 22_000 };

/** What a target needs to be up and at work again, on a slow machine; only then comes the next fault of its own. */
function recoveryMs(target: TargetName, kind: FaultKind): number {
  const anew = kind === 'kill' || kind === 'hang' || kind === 'wipe' || kind === 'term';
  if (target === 'rabbitmq') return anew ? 30_000 : 5_000;
  if (target === 'redis') return 1_000;
  return anew ? 6_000 : 3_000;
}

/**
 * What goes wrong when. Kinds are dealt like cards, so that each has its turn; one whose targets are still down waits.
 * @param options.kinds only these, such as `kill-worker`
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

/** As it is chosen by: `kill-worker`. */
const kindOf = ({ kind, targets }: Card): string => `${kind}-${targets[0]?.split('-')[0]}`;

function goneMs(random: SeededRandom, { targets, kind }: Card): number {
  if (MOMENTARY.includes(kind)) return 0;
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
