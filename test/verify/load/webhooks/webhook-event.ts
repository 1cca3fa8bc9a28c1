import { syntheticPayload } from '../../../support/e2e-events';
import { laneOf, moment, OFFSETS, typeOf, type EventPlan, type PlannedEvent } from '../planned-event';
import type { SeededRandom } from '../random';
import { sourceOf, type WebhookKind } from './sources';

/** Stripe's event, with a line end after it in some requests: it belongs to the body and not to the payload. */
const LINE_END_SHARE = 0.2;

/** Plans an event as a provider writes it: the source's mapping makes the fields. */
export function planWebhookEvent(random: SeededRandom, of: EventPlan & { form: WebhookKind }): PlannedEvent {
  const { name, n, tenant, form } = of;
  const type = typeOf(random, of);
  const { id: sourceId, name: source } = sourceOf(tenant, form);
  const isList = form === 'list';
  const lane = isList && random.chance(0.5) ? laneOf(random, of) : undefined;
  const occurred = moment(n, isList ? random.pick(OFFSETS) : 'Z');
  const seconds = Math.floor(Date.parse(occurred) / 1000);
  const payloadText = isList
    ? listItem({ name, type, lane, at: occurred, detail: syntheticPayload(n) })
    : stripeEvent({ name, type, seconds, detail: syntheticPayload(n) });
  const text = !isList && random.chance(LINE_END_SHARE) ? `${payloadText}\n` : payloadText;
  return {
    ...of,
    contentType: 'application/json',
    headers: {},
    text,
    expected: {
      eventId: name,
      type,
      subject: name,
      partitionKey: lane ?? name,
      occurredAt: (isList ? new Date(occurred) : new Date(seconds * 1000)).toISOString(),
      source,
      sourceId,
      schemaVersion: '1.0.0',
      specVersion: '1.0',
      correlationId: undefined,
      payloadText,
      sizeBytes: Buffer.byteLength(text),
    },
  };
}

interface Written {
  name: string;
  type: string;
  detail: string;
}

/** @param subject if it differs from the id */
export function stripeEvent(
  { name, type, seconds, detail }: Written & { seconds: number },
  subject: string = name,
): string {
  return `{"id":"${name}","object":"event","created":${seconds},"type":"${type}","data":{"object":{"id":"${subject}","detail":${detail}}}}`;
}

export function listItem(
  { name, type, lane, at, detail }: Written & { lane: string | undefined; at: string },
  subject: string = name,
): string {
  const optional = lane === undefined ? '' : `"lane":"${lane}",`;
  return `{"id":"${name}","kind":"${type}","ref":"${subject}",${optional}"at":"${at}","detail":${detail}}`;
}
