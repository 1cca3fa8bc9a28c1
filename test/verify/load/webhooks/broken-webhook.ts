import { MOST_EVENT_BYTES, type BrokenRecord } from '../broken-record';
import type { PlannedEvent } from '../planned-event';
import type { SeededRandom } from '../random';
import type { WebhookKind } from './sources';
import { listItem, stripeEvent } from './webhook-event';

/** How a request is signed. All but `right` are refused with the code. */
export const SIGNATURES = {
  right: null,
  wrong: 'signature-invalid',
  missing: 'signature-missing',
  old: 'signature-expired',
} as const;
export type Signing = keyof typeof SIGNATURES;

const AT = '2026-01-01T00:00:00Z';
const SECONDS = 1_767_225_600;

/** Something with a valid signature that cannot become an event. It is kept as a rejection. */
interface Kind {
  code: string;
  text: Record<WebhookKind, (name: string) => string>;
}

const item = (name: string, detail: string, change = (text: string): string => text): string =>
  change(listItem({ name, type: 'order.paid', lane: undefined, at: AT, detail }));
const event = (name: string, detail: string, change = (text: string): string => text): string =>
  change(stripeEvent({ name, type: 'order.paid', seconds: SECONDS, detail }));

const unnamed = (text: string): string => text.replace('"order.paid"', 'null');
const LARGE = `"${'x'.repeat(MOST_EVENT_BYTES)}"`;

const KINDS: readonly Kind[] = [
  {
    code: 'invalid-event',
    text: { stripe: (name) => event(name, '1', unnamed), list: (name) => item(name, '1', unnamed) },
  },
  {
    code: 'unsupported-character',
    text: { stripe: (name) => event(name, '"\\u0000"'), list: (name) => item(name, '"\\u0000"') },
  },
  { code: 'event-too-large', text: { stripe: (name) => event(name, LARGE), list: (name) => item(name, LARGE) } },
];
/** The whole body is one rejection. */
const MALFORMED = { code: 'malformed-body', text: (name: string): string => `{"id":"${name}","type":` };
const MALFORMED_SHARE = 0.25;

export function brokenWebhook(random: SeededRandom, kind: WebhookKind, name: string): BrokenRecord {
  if (kind === 'stripe' && random.chance(MALFORMED_SHARE)) {
    return { name, text: MALFORMED.text(name), code: MALFORMED.code, status: 200, key: undefined };
  }
  const { code, text } = random.pick(KINDS);
  return { name, text: text[kind](name), code, status: 200, key: undefined };
}

/** Other content under the id of an event of the same source. */
export function webhookConflictWith({ name: id, form }: PlannedEvent, name: string): BrokenRecord {
  const written = { name: id, type: 'order.paid', detail: '"other content"' };
  const text =
    form === 'list'
      ? listItem({ ...written, lane: undefined, at: AT }, name)
      : stripeEvent({ ...written, seconds: SECONDS }, name);
  return { name, text, code: 'event-id-conflict', status: 200, key: undefined };
}

/** A request that would be an event if its signature were valid. Nothing of it is stored. */
export function unverifiedWebhook(kind: WebhookKind, name: string, signing: Signing): BrokenRecord {
  const text = kind === 'list' ? item(name, '1') : event(name, '1');
  return { name, text, code: SIGNATURES[signing] ?? '', status: 401, key: undefined };
}
