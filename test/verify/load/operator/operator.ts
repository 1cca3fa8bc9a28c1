import { setTimeout as sleep } from 'node:timers/promises';
import { switchPoison } from '../../landscape/poison';
import type { FlakyReceiver } from '../../landscape/flaky-receiver';
import type { Landscape } from '../../landscape/landscape';
import type { Journal } from '../../run/journal';
import { SeededRandom, seedFor } from '../random';
import { TENANTS } from '../tenants';
import { SOURCES } from '../webhooks/sources';
import type { Admin } from './admin';
import { runCommand } from './command';
import { DeliveryDeeds } from './delivery-deeds';
import { DESTINATIONS } from './destinations';
import { reviseDeadLetter } from './revise';

const PAUSE_MS = { least: 400, most: 1_500 };
const DESTINATION_TIMEOUT_MS = 1_500;
/** Share of answered actions that are sent once more, with the same key. */
const AGAIN = 0.3;
const REPLAY = { least: 3, most: 60 };
/** More events than a replay sends within its request, so that publishers continue it. */
const LARGE_REPLAY = { share: 0.2, limit: 260 };
/** How long deliveries carry the signatures of both secrets. */
const OVERLAP_SECONDS = 3_600;
/** The load ends when no process is frozen any more. */
const AFTER_THAW_MS = 2_000;

/** Creates the destinations before the load starts. @throws if one is not created */
export async function registerDestinations(admin: Admin, receiver: FlakyReceiver): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for (const { name, tenant, eventTypes, onPoison } of DESTINATIONS) {
    const request = {
      tenantId: tenant,
      url: receiver.urlOf(name),
      eventTypes,
      timeoutMs: DESTINATION_TIMEOUT_MS,
      ...(onPoison && { ordering: 'key', onPoison }),
    };
    const made = await admin.ask('destination.create', 'POST', 'destinations', request);
    if (!made) throw new Error(`destination ${name} was not registered`);
    receiver.learnSecret(name, String(made.secret));
    ids.set(name, String(made.id));
  }
  return ids;
}

/** Performs admin actions. The seed decides which, in which order, and the pauses between them. */
export class Operator {
  private stopped = false;
  private readonly random: SeededRandom;
  private readonly deliveries: DeliveryDeeds;
  private paths = 0;
  /** Sources whose pause was not answered: a frozen process may carry it out later. */
  private readonly maybePaused = new Set<string>();

  constructor(
    seed: number,
    private readonly admin: Admin,
    private readonly destinations: ReadonlyMap<string, string>,
    private readonly receiver: FlakyReceiver,
    private readonly landscape: Landscape,
    private readonly journal: Journal,
  ) {
    this.random = new SeededRandom(seedFor(seed, 'operator'));
    this.deliveries = new DeliveryDeeds(this.random, admin, destinations, journal);
  }

  async run(): Promise<void> {
    let deck: (() => Promise<void>)[] = [];
    while (!this.stopped) {
      await sleep(this.random.between(PAUSE_MS.least, PAUSE_MS.most));
      if (deck.length === 0) deck = this.random.shuffled(this.deeds());
      await deck.pop()?.();
    }
    await sleep(this.maybePaused.size > 0 || this.deliveries.mayHavePaused ? AFTER_THAW_MS : 0);
    for (const id of this.maybePaused) await this.resumeSource(id);
    await this.deliveries.resumeAll();
    await this.lastLetters();
  }

  /** Stops after the current action. A disabled destination is enabled again. */
  stop(): void {
    this.stopped = true;
  }

  private deeds(): (() => Promise<void>)[] {
    return [
      () => this.replay('reprocess', { status: 'COMPLETED' }),
      () => this.replay('reprocess', {}),
      () => this.replay('republish', {}),
      () => this.replay('republish', { status: 'DLQ' }),
      () => this.deadLetters('retry'),
      () => this.deadLetters('retry'),
      () => this.deadLetters('discard'),
      () => this.revise(),
      ...this.deliveries.all(),
      () => this.look(),
      () => this.pruneKeys(),
      () => this.switchDestination(),
      () => this.changeDestination(),
      () => this.rotateSecret(),
      () => this.pauseSource(),
      () => this.changeSecrets(),
      () => switchPoison(this.landscape.databaseUrl, false).catch(whileDown),
      () => switchPoison(this.landscape.databaseUrl, true).catch(whileDown),
    ];
  }

  private async replay(mode: string, filter: Record<string, unknown>): Promise<void> {
    const { random } = this;
    const large = random.chance(LARGE_REPLAY.share);
    const limit = large ? LARGE_REPLAY.limit : random.between(REPLAY.least, REPLAY.most);
    const dryRun = random.chance(0.1);
    const request = { tenantId: random.pick(TENANTS), mode, limit, ...filter, ...(dryRun && { dryRun }) };
    await this.admin.act('replay', 'replay', request, random.chance(AGAIN));
  }

  private async deadLetters(what: 'retry' | 'discard'): Promise<void> {
    const { random } = this;
    const limit = what === 'retry' ? random.between(5, 50) : random.between(1, 5);
    const request = random.chance(0.5) ? { tenantId: random.pick(TENANTS), limit } : { all: true, limit };
    await this.admin.act(`dlq.${what}`, `dlq/${what}`, request, random.chance(AGAIN));
  }

  /** A short run may not have reached these actions while there were dead letters. */
  private async lastLetters(): Promise<void> {
    await this.admin.act('dlq.discard', 'dlq/discard', { all: true, limit: 5 }, false);
    await this.admin.act('dlq.retry', 'dlq/retry', { all: true, limit: 20 }, false);
  }

  private async revise(): Promise<void> {
    await reviseDeadLetter(this.admin, this.random, this.random.chance(AGAIN));
  }

  private async look(): Promise<void> {
    const path = this.random.pick([
      'outbox',
      'dlq?limit=20',
      'dlq/reasons',
      'deliveries?limit=20',
      'events?limit=50',
      'usage',
      'replays?limit=5',
    ]);
    await this.admin.ask('look', 'GET', path);
  }

  /** Runs `npm run prune:idempotency`, as a cron job would. */
  private async pruneKeys(): Promise<void> {
    const { journal, landscape } = this;
    const sentMs = journal.nowMs;
    const code = await runCommand('prune-idempotency', { DATABASE_URL: landscape.databaseUrl });
    const entry = { action: 'prune', id: '', request: {}, body: undefined, text: `exit code ${code}` };
    journal.append({ kind: 'operator', ...entry, sentMs, status: code === 0 ? 200 : 500 });
  }

  private async switchDestination(): Promise<void> {
    const id = this.destinations.get('on-and-off') as string;
    const off = { enabled: false };
    await this.admin.ask('destination.switch', 'PATCH', `destinations/${id}`, off);
    await sleep(this.random.chance(0.5) ? this.random.between(200, 1_500) : this.random.between(3_500, 5_000));
    await this.admin.untilDone('destination.switch', 'PATCH', `destinations/${id}`, { enabled: true });
  }

  /** A change of the URL looks its host up, which fails while its name servers are silent. */
  private async changeDestination(): Promise<void> {
    const { name } = this.random.pick(DESTINATIONS.filter(({ silenced }) => !silenced));
    const change = { url: this.receiver.urlOf(name, ++this.paths), description: `change ${this.paths}` };
    await this.admin.ask('destination.change', 'PATCH', `destinations/${this.destinations.get(name)}`, change);
  }

  /** Repeats the rotation until the response with the new secret arrives: with two unknown secrets no delivery could be verified. */
  private async rotateSecret(): Promise<void> {
    const { name } = this.random.pick(DESTINATIONS);
    const path = `destinations/${this.destinations.get(name)}/rotate-secret`;
    const request = { overlapSeconds: OVERLAP_SECONDS };
    const made = await this.admin.untilDone('destination.rotate-secret', 'POST', path, request);
    this.receiver.learnSecret(name, String(made.secret));
  }

  /** Its requests are answered 503 meanwhile, and sent again. */
  private async pauseSource(): Promise<void> {
    const { id } = this.random.pick(SOURCES);
    const done = await this.admin.ask('source.switch', 'PATCH', `sources/${id}`, { status: 'paused' });
    if (!done) this.maybePaused.add(id);
    await sleep(this.random.between(200, 1_500));
    await this.resumeSource(id);
  }

  private async resumeSource(id: string): Promise<void> {
    await this.admin.untilDone('source.switch', 'PATCH', `sources/${id}`, { status: 'active' });
  }

  /** As in a rotation: the requests go on being signed with the old secret. */
  private async changeSecrets(): Promise<void> {
    const { id, secret } = this.random.pick(SOURCES);
    const secrets = [`whsec_new_${++this.paths}`, secret];
    await this.admin.ask('source.secrets', 'PATCH', `sources/${id}`, { secrets });
  }
}

/** If PostgreSQL is down, the switch keeps its position. */
function whileDown(error: unknown): void {
  if (!/ECONN|terminat|timeout|starting up|shutting down|recovery|read-only/i.test(String(error))) throw error;
}
