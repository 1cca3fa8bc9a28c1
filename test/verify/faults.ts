import { SeededRandom, seedFor } from './random';

export const ROLE_PROCESSES = ['api-0', 'api-1', 'publisher-0', 'publisher-1', 'worker-0', 'worker-1'] as const;
export const SERVERS = ['postgres', 'redis', 'rabbitmq'] as const;
export type TargetName = (typeof ROLE_PROCESSES)[number] | (typeof SERVERS)[number];

/**
 * kill: SIGKILL, and started again afterwards. stop: SIGSTOP, and SIGCONT afterwards. flush: Redis forgets everything.
 * purge: RabbitMQ's queues lose what waits in them. cut: the server closes all connections. wipe: RabbitMQ is killed and comes back with an empty disk.
 */
export type FaultKind = 'kill' | 'stop' | 'cut' | 'flush' | 'purge' | 'wipe';

const MOMENTARY: readonly FaultKind[] = ['cut', 'flush', 'purge'];

export interface Fault {
  atMs: number;
  target: TargetName;
  kind: FaultKind;
  /** How long it is gone; 0 for what happens in a moment. */
  forMs: number;
}

interface Card {
  targets: readonly TargetName[];
  kind: FaultKind;
}

const DECK: readonly Card[] = [
  ...(['kill', 'stop'] as const).flatMap((kind) => [
    { targets: ['api-0', 'api-1'] as const, kind },
    { targets: ['publisher-0', 'publisher-1'] as const, kind },
    { targets: ['worker-0', 'worker-1'] as const, kind },
    { targets: ['postgres'] as const, kind },
    { targets: ['redis'] as const, kind },
    { targets: ['rabbitmq'] as const, kind },
  ]),
  { targets: ['postgres'], kind: 'cut' },
  { targets: ['rabbitmq'], kind: 'cut' },
  { targets: ['redis'], kind: 'flush' },
  { targets: ['rabbitmq'], kind: 'purge' },
  { targets: ['rabbitmq'], kind: 'wipe' },
];

const FIRST_AT_MS = 2_000;
const GAP_MS = { least: 800, most: 3_000 };
const GONE_MS = { least: 200, most: 4_000 };
/** Beyond RabbitMQ's heartbeats: it gives a stopped process up, which then wakes with what it held. */
const LONG_STOP = { share: 0.15, least: 8_000, most: 22_000 };

/** What a target needs to be up and at work again, on a slow machine; only then comes the next fault of its own. */
function recoveryMs(target: TargetName, kind: FaultKind): number {
  const anew = kind === 'kill' || kind === 'wipe';
  if (target === 'rabbitmq') return anew ? 30_000 : 5_000;
  if (target === 'redis') return 1_000;
  return anew ? 6_000 : 3_000;
}

/** What goes wrong when. Kinds are dealt like cards, so that each has its turn; one whose targets are still down waits. */
export function faultSchedule(seed: number, seconds: number): Fault[] {
  const random = new SeededRandom(seedFor(seed, 'faults'));
  const faults: Fault[] = [];
  const busyUntilMs = new Map<TargetName, number>();
  const isFree = (target: TargetName, atMs: number): boolean => (busyUntilMs.get(target) ?? 0) <= atMs;
  let deck: Card[] = [];
  for (let atMs = FIRST_AT_MS; atMs < seconds * 1000; atMs += random.between(GAP_MS.least, GAP_MS.most)) {
    const deal = (): Card | undefined => deck.find(({ targets }) => targets.some((target) => isFree(target, atMs)));
    if (!deal()) deck.push(...random.shuffled(DECK.filter((card) => !deck.includes(card))));
    const card = deal();
    if (!card) continue;
    deck = deck.filter((other) => other !== card);
    const target = random.pick(card.targets.filter((one) => isFree(one, atMs)));
    const forMs = goneMs(random, card);
    busyUntilMs.set(target, atMs + forMs + recoveryMs(target, card.kind));
    faults.push({ atMs, target, kind: card.kind, forMs });
  }
  return faults;
}

function goneMs(random: SeededRandom, { targets, kind }: Card): number {
  if (MOMENTARY.includes(kind)) return 0;
  const mayBeLong = kind === 'stop' && targets.length > 1; // a process, not one of the servers that all depend on
  const range = random.chance(LONG_STOP.share) && mayBeLong ? LONG_STOP : GONE_MS;
  return random.between(range.least, range.most);
}

export function describeFault({ target, kind, forMs }: Fault): string {
  return `${kind} ${target}${forMs === 0 ? '' : ` for ${(forMs / 1000).toFixed(1)} s`}`;
}

export function clock(ms: number): string {
  return `${(ms / 1000).toFixed(1).padStart(6)} s`;
}
