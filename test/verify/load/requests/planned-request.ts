import { brokenRecord, conflictWith, type BrokenRecord } from '../broken-record';
import { EventSource } from '../event-source';
import type { Form, Identity, PlannedEvent } from '../planned-event';
import { SeededRandom, seedFor } from '../random';
import type { PlannedRecord } from '../sending';
import { CLIENT_TENANTS, type Tenant } from '../tenants';
import type { PlannedStream } from './stream';

export type PlannedRequest = { pauseMs: number } & (
  | { kind: 'single'; event: PlannedEvent; twice: boolean }
  | { kind: 'broken single'; tenant: Tenant; broken: BrokenRecord }
  /** `twice`: the whole stream is sent again after its response. */
  | { kind: 'stream'; stream: PlannedStream; twice: boolean }
);

const PAUSE_MS = { least: 10, most: 70 };
const STREAM = { share: 0.07, least: 2, most: 60, twice: 0.3 };
const BROKEN_SHARE = 0.05;
const BROKEN_IN_STREAM_SHARE = 0.06;
const TWICE_SHARE = 0.1;
const CUT_SHORT_SHARE = 0.2;

const ALL: readonly Identity[] = ['event-id', 'key', 'event-id and key', 'content'];
const OF_CLOUD_EVENTS: readonly Identity[] = ['event-id', 'event-id and key'];
const SINGLE_FORMS: readonly Form[] = ['json', 'json', 'json', 'json', 'cloudevent', 'binary cloudevent'];

/** The endless sequence of requests of one client. The seed decides the sequence; the machine decides how far the client gets. */
export function* requestsOf(seed: number, client: number): Generator<PlannedRequest, never> {
  const random = new SeededRandom(seedFor(seed, `client ${client}`));
  const tenant = CLIENT_TENANTS[client % CLIENT_TENANTS.length] as Tenant;
  const plan = new RequestPlan(random, new EventSource(random, tenant, client), client);
  for (;;) {
    const pauseMs = random.between(PAUSE_MS.least, PAUSE_MS.most);
    const choice = random.next();
    if (choice < STREAM.share) yield { pauseMs, ...plan.stream() };
    else if (choice < STREAM.share + BROKEN_SHARE) yield { pauseMs, ...plan.brokenSingle() };
    else yield { pauseMs, ...plan.single() };
  }
}

class RequestPlan {
  private broken = 0;

  constructor(
    private readonly random: SeededRandom,
    private readonly events: EventSource,
    private readonly client: number,
  ) {}

  single() {
    const form = this.random.pick(SINGLE_FORMS);
    const event = this.events.next(form, form === 'json' ? ALL : OF_CLOUD_EVENTS);
    return { kind: 'single' as const, event, twice: this.random.chance(TWICE_SHARE) };
  }

  brokenSingle() {
    const { random, events } = this;
    const earlier = random.chance(0.5) ? events.earlier('json', ['event-id', 'key']) : undefined;
    const name = this.brokenName();
    const broken = earlier ? conflictWith(earlier, name) : brokenRecord(random, name);
    return { kind: 'broken single' as const, tenant: events.tenant, broken };
  }

  stream() {
    const { random, events } = this;
    const format = random.chance(0.25) ? ('xml' as const) : ('ndjson' as const);
    // With an idempotency key, a record counts as the same event as without one only if it has an eventId.
    const key = random.chance(0.5) ? `stream-${this.client}-${random.between(0, 1e9)}` : undefined;
    const identities: readonly Identity[] = key === undefined ? ['event-id', 'content'] : ['event-id'];
    const form = format === 'xml' ? 'xml' : 'json';
    const records = Array.from({ length: random.between(STREAM.least, STREAM.most) }, (): PlannedRecord => {
      if (format === 'ndjson' && random.chance(BROKEN_IN_STREAM_SHARE)) {
        return { broken: brokenRecord(random, this.brokenName()) };
      }
      return { event: events.next(form, identities) };
    });
    const stream: PlannedStream = {
      tenant: events.tenant,
      format,
      records,
      key,
      lineByLine: random.chance(0.5),
      gzip: random.chance(0.25),
      cutShort: format === 'xml' && random.chance(CUT_SHORT_SHARE),
    };
    return { kind: 'stream' as const, stream, twice: random.chance(STREAM.twice) };
  }

  private brokenName(): string {
    return `${this.events.tenant}-broken-${this.client}-${this.broken++}`;
  }
}
