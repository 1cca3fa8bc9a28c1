import { syntheticPayload } from '../support/e2e-events';
import { SeededRandom, seedFor } from './random';

/** Events of the last one are delivered to an HTTP destination. */
export const TENANTS = ['north', 'south', 'delivered'] as const;
export const DELIVERED_TENANT: Tenant = 'delivered';
export type Tenant = (typeof TENANTS)[number];

/** What makes a repeat of the event the same event: what the producer named, or its content. */
type Identity = 'event-id' | 'key' | 'event-id and key' | 'content';

export interface PlannedEvent {
  /** Unique in the run; travels as the subject, so that whatever is stored or delivered says which event it is. */
  name: string;
  tenant: Tenant;
  identity: Identity;
  payloadText: string;
  /** The event as JSON: a line of a stream, or the body of a single request. */
  line: string;
}

export type PlannedRequest = { pauseMs: number } & (
  | { kind: 'post'; event: PlannedEvent; twice: boolean }
  | { kind: 'stream'; tenant: Tenant; events: PlannedEvent[]; key: string | undefined; lineByLine: boolean }
  | { kind: 'replay'; tenant: Tenant; limit: number }
);

const TYPES = ['order.paid', 'order.refunded', 'stock.moved', 'user.signed-up'];
const PAUSE_MS = { least: 10, most: 70 };
const STREAM = { share: 0.06, least: 2, most: 60 };
const REPLAY = { share: 0.006, least: 3, most: 60 };
/** More than a replay sends within its request, so that publishers carry it on. */
const LARGE_REPLAY = { share: 0.2, limit: 260 };
const REPEAT_SHARE = 0.2;
const TWICE_SHARE = 0.1;
/** Repeats are of the last so many. */
const REMEMBERED = 200;

/** What one client sends, without end. How far it gets depends on the machine; what comes when does not. */
export function* requestsOf(seed: number, client: number): Generator<PlannedRequest, never> {
  const random = new SeededRandom(seedFor(seed, `client ${client}`));
  const tenant = TENANTS[client % TENANTS.length] as Tenant;
  const events = new EventSource(random, tenant, client);
  for (;;) {
    const pauseMs = random.between(PAUSE_MS.least, PAUSE_MS.most);
    const choice = random.next();
    if (choice < REPLAY.share) {
      const large = random.chance(LARGE_REPLAY.share);
      const limit = large ? LARGE_REPLAY.limit : random.between(REPLAY.least, REPLAY.most);
      yield { kind: 'replay', pauseMs, tenant, limit };
    } else if (choice < REPLAY.share + STREAM.share) {
      const key = random.chance(0.5) ? `stream-${client}-${random.between(0, 1e9)}` : undefined;
      const identities: Identity[] = key === undefined ? ['event-id', 'content'] : ['event-id'];
      const count = random.between(STREAM.least, STREAM.most);
      const records = Array.from({ length: count }, () => events.next(identities));
      yield { kind: 'stream', pauseMs, tenant, events: records, key, lineByLine: random.chance(0.5) };
    } else {
      const event = events.next(['event-id', 'key', 'event-id and key', 'content']);
      yield { kind: 'post', pauseMs, event, twice: random.chance(TWICE_SHARE) };
    }
  }
}

/** New events, and now and then one of the last ones once more. */
class EventSource {
  private made = 0;
  private readonly remembered: PlannedEvent[] = [];

  constructor(
    private readonly random: SeededRandom,
    private readonly tenant: Tenant,
    private readonly client: number,
  ) {}

  /** @param identities those under which the event may be sent here. */
  next(identities: readonly Identity[]): PlannedEvent {
    const again = this.random.chance(REPEAT_SHARE);
    const candidates = again ? this.remembered.filter(({ identity }) => identities.includes(identity)) : [];
    return candidates.length > 0 ? this.random.pick(candidates) : this.fresh(this.random.pick(identities));
  }

  private fresh(identity: Identity): PlannedEvent {
    const { tenant } = this;
    const n = this.made++;
    const name = `${tenant}-${this.client}-${n}`;
    const payloadText = payloadOf(name);
    const eventId = identity.includes('event-id') ? `"eventId":"${name}",` : '';
    const type = this.random.pick(TYPES);
    const line = `{${eventId}"eventType":"${type}","subject":"${name}","payload":${payloadText}}`;
    const event: PlannedEvent = { name, tenant, identity, payloadText, line };
    this.remembered.push(event);
    if (this.remembered.length > REMEMBERED) this.remembered.shift();
    return event;
  }
}

/** The idempotency key that every request with this event carries. */
export function keyOf({ name, identity }: PlannedEvent): string | undefined {
  return identity.includes('key') ? `key-${name}` : undefined;
}

/** The name alone says what was sent under it, so that nothing has to be remembered of the run to check it. */
function payloadOf(name: string): string {
  return syntheticPayload(Number(name.split('-').at(-1)));
}

export function payloadsOf(names: Iterable<string>): Map<string, string> {
  return new Map([...names].map((name) => [name, payloadOf(name)]));
}

export const tenantOf = (name: string): Tenant => name.split('-')[0] as Tenant;
