import { syntheticPayload } from '../../support/e2e-events';
import { cloudEventOf, binaryCloudEventOf, jsonOf, xmlOf, type Written } from './forms';
import type { SeededRandom } from './random';
import type { Tenant } from './tenants';
import type { WebhookKind } from './webhooks/sources';

/** What identifies a repeat as the same event: an id or key from the producer, or the content. */
export type Identity = 'event-id' | 'key' | 'event-id and key' | 'content';

export type Form = 'json' | 'cloudevent' | 'binary cloudevent' | 'xml' | WebhookKind;

/** The normalised event that must be stored, read back and delivered. Undefined fields are set by StreamForge. */
export interface ExpectedFields {
  eventId: string | undefined;
  type: string;
  subject: string;
  partitionKey: string;
  occurredAt: string | undefined;
  source: string;
  /** Undefined unless the event comes through a source. */
  sourceId: string | undefined;
  schemaVersion: string;
  specVersion: string;
  /** If undefined, the event gets the one of its request. */
  correlationId: string | undefined;
  payloadText: string;
  sizeBytes: number;
}

export interface PlannedEvent extends Written {
  /** Unique in the run. Also the subject, so that every stored or delivered event can be identified. */
  name: string;
  tenant: Tenant;
  identity: Identity;
  form: Form;
  expected: ExpectedFields;
}

/** Types whose metering fails, always or while a switch is on (landscape/poison.ts). */
export const POISON_TYPES = { always: 'poison.always', switched: 'poison.switched' } as const;

const TYPES = ['order.paid', 'order.refunded', 'stock.moved', 'user.signed-up'];
const POISON_SHARE = 0.04;
const SOURCES = ['till-7', 'https://shop.example/orders?a=1&b=2', 'Läden/東京'];
export const OFFSETS = ['Z', '+00:00', '+05:30', '-11:00', '+14:00'];

export interface EventPlan {
  name: string;
  /** Number of the event within its client. */
  n: number;
  tenant: Tenant;
  identity: Identity;
}

export function planEvent(random: SeededRandom, of: EventPlan & { form: Exclude<Form, WebhookKind> }): PlannedEvent {
  const { name, n, identity, form } = of;
  const sometimes = (value: () => string): string | undefined => (random.chance(0.5) ? value() : undefined);
  // CloudEvents always have an id and a source.
  const isCloudEvent = form.includes('cloudevent');
  const eventId = identity.includes('event-id') || isCloudEvent ? name : undefined;
  const source = isCloudEvent ? random.pick(SOURCES) : sometimes(() => random.pick(SOURCES));
  const occurred = sometimes(() => moment(n, random.pick(OFFSETS)));
  const sent = {
    eventId,
    type: typeOf(random, of),
    subject: name,
    partitionKey: sometimes(() => laneOf(random, of)),
    occurredAt: occurred,
    source,
    schemaVersion: isCloudEvent ? undefined : sometimes(() => `${random.between(1, 9)}.${random.between(0, 9)}`),
    specVersion: isCloudEvent ? '1.0' : sometimes(() => '1.1'),
    correlationId: isCloudEvent ? undefined : sometimes(() => `of-${name}`),
    payloadText: syntheticPayload(n),
    legacyNames: random.chance(0.2),
  };
  const written = WRITERS[form](sent);
  const { legacyNames: _, ...fields } = sent;
  const expected: ExpectedFields = {
    ...fields,
    partitionKey: sent.partitionKey ?? name,
    occurredAt: occurred && new Date(occurred).toISOString(),
    source: source ?? 'api',
    sourceId: undefined,
    schemaVersion: sent.schemaVersion ?? '1.0.0',
    specVersion: sent.specVersion ?? '1.0',
    sizeBytes: Buffer.byteLength(written.text),
  };
  return { ...of, ...written, expected };
}

const WRITERS = {
  json: jsonOf,
  cloudevent: cloudEventOf,
  'binary cloudevent': binaryCloudEventOf,
  xml: xmlOf,
} as const;

/** Many events of a tenant share a key. Those that are delivered in order share fewer. */
export const laneOf = (random: SeededRandom, { tenant }: { tenant: Tenant }): string =>
  `lane ${random.between(0, tenant === 'ordered' ? 3 : 9)}`;

export function typeOf(random: SeededRandom, { tenant }: { tenant: Tenant }): string {
  const poison = random.chance(POISON_SHARE) && tenant === 'north';
  return poison ? random.pick(Object.values(POISON_TYPES)) : random.pick(TYPES);
}

/** A different time for each n, as local time with the offset. */
export function moment(n: number, offset: string): string {
  const local = new Date(Date.UTC(2026, 0, 1) + n * 61_007).toISOString().slice(0, -1);
  return `${local}${offset}`;
}

/** The idempotency key of every request with this event alone. */
export function keyOf({ name, identity }: PlannedEvent): string | undefined {
  return identity.includes('key') ? `key-${name}` : undefined;
}
