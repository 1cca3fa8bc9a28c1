import { SeededRandom, seedFor } from './random';

export const ROLE_PROCESSES = ['api-0', 'api-1', 'publisher-0', 'publisher-1', 'worker-0', 'worker-1'] as const;
export const SERVERS = ['postgres', 'redis', 'rabbitmq'] as const;
export type TargetName = (typeof ROLE_PROCESSES)[number] | (typeof SERVERS)[number];

/**
 * kill: SIGKILL, and started again afterwards. stop: SIGSTOP, and SIGCONT afterwards. flush: Redis forgets everything.
 * purge: RabbitMQ's queues lose what waits in them. wipe: RabbitMQ is killed and comes back with an empty disk.
 */
export type FaultKind = 'kill' | 'stop' | 'flush' | 'purge' | 'wipe';

export interface Fault {
  atMs: number;
  target: TargetName;
  kind: FaultKind;
  /** How long it is gone; 0 for what happens in a moment. */
  forMs: number;
}

const DECK: readonly { targets: readonly TargetName[]; kind: FaultKind }[] = [
  ...(['kill', 'stop'] as const).flatMap((kind) => [
    { targets: ['api-0', 'api-1'] as const, kind },
    { targets: ['publisher-0', 'publisher-1'] as const, kind },
    { targets: ['worker-0', 'worker-1'] as const, kind },
    { targets: ['postgres'] as const, kind },
    { targets: ['redis'] as const, kind },
    { targets: ['rabbitmq'] as const, kind },
  ]),
  { targets: ['redis'], kind: 'flush' },
  { targets: ['rabbitmq'], kind: 'purge' },
  { targets: ['rabbitmq'], kind: 'wipe' },
];

const FIRST_AT_MS = 2_000;
const GAP_MS = { least: 800, most: 3_000 };
const GONE_MS = { least: 200, most: 4_000 };
/** Beyond RabbitMQ's heartbeats: it gives a stopped process up, which then wakes with what it held. */
const LONG_STOP = { share: 0.15, least: 8_000, most: 22_000 };

/** What goes wrong when. Kinds are dealt like cards, so that even a short run has all of them before one comes again. */
export function faultSchedule(seed: number, seconds: number): Fault[] {
  const random = new SeededRandom(seedFor(seed, 'faults'));
  const faults: Fault[] = [];
  let deck: typeof DECK = [];
  for (let atMs = FIRST_AT_MS; atMs < seconds * 1000; atMs += random.between(GAP_MS.least, GAP_MS.most)) {
    if (deck.length === 0) deck = random.shuffled(DECK);
    const [card, ...rest] = deck as [(typeof DECK)[number], ...typeof DECK];
    deck = rest;
    faults.push({ atMs, target: random.pick(card.targets), kind: card.kind, forMs: goneMs(random, card) });
  }
  return faults;
}

function goneMs(random: SeededRandom, { targets, kind }: (typeof DECK)[number]): number {
  if (kind === 'flush' || kind === 'purge') return 0;
  const mayBeLong = kind === 'stop' && targets.length > 1; // a process, not one of the servers that all depend on
  const range = random.chance(LONG_STOP.share) && mayBeLong ? LONG_STOP : GONE_MS;
  return random.between(range.least, range.most);
}

export function describeFault({ atMs, target, kind, forMs }: Fault): string {
  const duration = forMs === 0 ? '' : ` for ${(forMs / 1000).toFixed(1)} s`;
  return `${(atMs / 1000).toFixed(1).padStart(6)} s  ${kind} ${target}${duration}`;
}
