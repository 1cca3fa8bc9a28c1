import { brokenRecord, conflictWith, type BrokenRecord } from '../broken-record';
import { EventSource } from '../event-source';
import type { Form, Identity, PlannedEvent } from '../planned-event';
import { SeededRandom, seedFor } from '../random';
import type { PlannedRecord } from '../sending';
import { CLIENT_TENANTS, type Tenant } from '../tenants';
import { brokenWebhook, unverifiedWebhook, webhookConflictWith, type Signing } from '../webhooks/broken-webhook';
import { sourceOf, type WebhookKind } from '../webhooks/sources';
import type { PlannedStream } from './stream';
import type { PlannedWebhook } from './webhook';

export type PlannedRequest = { pauseMs: number } & (
  | { kind: 'single'; event: PlannedEvent; twice: boolean }
  | { kind: 'broken single'; tenant: Tenant; broken: BrokenRecord }
  /** `twice`: the whole stream is sent again after its response. */
  | { kind: 'stream'; stream: PlannedStream; twice: boolean }
  /** `twice`: to both api processes at the same time. */
  | { kind: 'webhook'; webhook: PlannedWebhook; twice: boolean }
);

const PAUSE_MS = { least: 10, most: 70 };
const STREAM = { share: 0.07, least: 2, most: 60, twice: 0.3 };
const BROKEN_SHARE = 0.05;
const WEBHOOK = { share: 0.2, lists: 0.3, most: 12, broken: 0.12, conflicts: 0.5, unverified: 0.1, gzip: 0.15 };
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
    else if (choice < STREAM.share + BROKEN_SHARE + WEBHOOK.share) yield { pauseMs, ...plan.webhook() };
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

  webhook() {
    const { random, events } = this;
    const kind: WebhookKind = random.chance(WEBHOOK.lists) ? 'list' : 'stripe';
    const signing = random.chance(WEBHOOK.unverified) ? random.pick<Signing>(['wrong', 'missing', 'old']) : 'right';
    const count = kind === 'list' ? random.between(1, WEBHOOK.most) : 1;
    const records = Array.from({ length: count }, () => this.webhookRecord(kind, signing));
    const webhook: PlannedWebhook = {
      source: sourceOf(events.tenant, kind),
      records,
      signing,
      gzip: random.chance(WEBHOOK.gzip),
    };
    return { kind: 'webhook' as const, webhook, twice: signing === 'right' && random.chance(TWICE_SHARE) };
  }

  private webhookRecord(kind: WebhookKind, signing: Signing): PlannedRecord {
    const { random, events } = this;
    if (signing !== 'right') return { broken: unverifiedWebhook(kind, this.brokenName(), signing) };
    if (!random.chance(WEBHOOK.broken)) return { event: events.next(kind, ['event-id']) };
    const earlier = random.chance(WEBHOOK.conflicts) ? events.earlier(kind, ['event-id']) : undefined;
    const name = this.brokenName();
    return { broken: earlier ? webhookConflictWith(earlier, name) : brokenWebhook(random, kind, name) };
  }

  private brokenName(): string {
    return `${this.events.tenant}-broken-${this.client}-${this.broken++}`;
  }
}
