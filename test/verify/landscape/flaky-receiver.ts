import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { answer, TestReceiver, type Reaction, type Received } from '../../support/receivers/receiver';
import { DESTINATIONS } from '../load/operator/destinations';
import { SeededRandom, seedFor } from '../load/random';
import type { Journal } from '../run/journal';
import { hostOf } from './host-names';
import { RETRY_AFTER_SECONDS } from './settings';

const FAILURE_SHARE = 0.15;
/** Share of deliveries that get 429, after which the destination gets fewer for a while. */
const SLOW_SHARE = 0.005;
/** Share of events whose first delivery gets 422, so that they become dead letters. */
const REFUSED_SHARE = 0.015;
const REFUSED = 422;
/** Share of responses after which the connection ends, so that the next delivery looks the host up again. */
const LAST_SHARE = 0.3;
/** Longer than a run: a request on a connection that is being closed would fail without a fault. */
const KEEP_ALIVE_MS = 3_600_000;

interface Mood {
  status: number | undefined;
  react: Reaction;
}
const FINE: Mood = { status: 204, react: answer(204) };
const SLOW: Mood = { status: 429, react: answer(429, { 'retry-after': String(RETRY_AFTER_SECONDS) }) };
const FAILURES: readonly Mood[] = [
  { status: 500, react: answer(500) },
  { status: 503, react: answer(503) },
  { status: undefined, react: (response) => void response.socket?.destroy() },
  { status: undefined, react: () => undefined }, // until the timeout of the destination
];

/** The receiver of all destinations. The seed decides which deliveries fail. */
export class FlakyReceiver {
  /** Secrets from responses, by the name of the destination. */
  private readonly secrets = new Map<string, string[]>();

  private constructor(
    private readonly receiver: TestReceiver,
    private readonly seed: number,
    private readonly journal: Journal,
  ) {
    receiver.reaction = (response, received) => {
      if (this.isLast(received)) response.setHeader('connection', 'close');
      this.take(received).react(response, received);
    };
  }

  static async start(seed: number, journal: Journal): Promise<FlakyReceiver> {
    return new FlakyReceiver(await TestReceiver.start(KEEP_ALIVE_MS), seed, journal);
  }

  /** @param path a different number gives a different URL of the same destination */
  urlOf(destination: string, path = 0): string {
    return `http://${hostOf(destination)}:${this.receiver.port}/${destination}/${path}`;
  }

  learnSecret(destination: string, secret: string): void {
    this.secrets.set(destination, [...(this.secrets.get(destination) ?? []), secret]);
  }

  stop(): Promise<void> {
    return this.receiver.stop();
  }

  /** The connections of destinations that are silenced always end. */
  private isLast({ path, body, nth }: Received): boolean {
    const destination = destinationIn(path);
    if (DESTINATIONS.some(({ name, silenced }) => silenced && name === destination)) return true;
    const random = new SeededRandom(seedFor(this.seed, `connection of delivery ${nth} of ${nameIn(body)}`));
    return random.chance(LAST_SHARE);
  }

  private take(received: Received): Mood {
    const { body, headers, nth } = received;
    const destination = destinationIn(received.path);
    const name = nameIn(body);
    const mood = this.moodOf(destination, name, nth);
    this.journal.append({
      kind: 'delivered',
      destination,
      webhookId: String(headers['webhook-id']),
      name,
      body,
      status: mood.status,
      unverifiedBy: this.unverifiedBy(destination, received),
    });
    return mood;
  }

  private moodOf(destination: string, name: string, nth: number): Mood {
    const refused = new SeededRandom(seedFor(this.seed, `refusal of ${name}`)).chance(REFUSED_SHARE);
    if (refused && nth === 1) return { status: REFUSED, react: answer(REFUSED) };
    const random = new SeededRandom(seedFor(this.seed, `delivery ${nth} of ${name} to ${destination}`));
    if (random.chance(SLOW_SHARE)) return SLOW;
    return random.chance(FAILURE_SHARE) ? random.pick(FAILURES) : FINE;
  }

  private unverifiedBy(destination: string, { body, headers }: Received): string[] {
    const secrets = this.secrets.get(destination) ?? [];
    const sent = headers as Record<string, string>;
    const libraries = { standardwebhooks: StandardWebhook, svix: SvixWebhook };
    return Object.entries(libraries).flatMap(([library, Library]) =>
      secrets.some((secret) => verifies(() => new Library(secret).verify(body, sent))) ? [] : [library],
    );
  }
}

const destinationIn = (path: string): string => path.split('/')[1] as string;

function nameIn(body: string): string {
  try {
    return String((JSON.parse(body) as { subject?: unknown }).subject);
  } catch {
    return ''; // the oracle finds no event of that name
  }
}

function verifies(verify: () => unknown): boolean {
  try {
    verify();
    return true;
  } catch {
    return false;
  }
}
