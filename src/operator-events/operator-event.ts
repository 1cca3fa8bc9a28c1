import { prepareText, type PreparedEvent } from '../event/prepare-event';
import { RESERVED_TENANT } from '../event/tenant';
import type { Severity } from '../destinations/operator/severity';
import type { Figures } from './condition';

/** The payload of an operator event. */
export interface OperatorEvent {
  /** Also the type of the event. */
  kind: string;
  state: 'raised' | 'cleared';
  severity: Severity;
  /** One sentence. */
  summary: string;
  /** Since when the condition holds, or held. RFC 3339. */
  since: string;
  /** What it is about: an id, a tenant, or null for the installation. */
  subject: string | null;
  tenantId: string | null;
  name: string | null;
  /** More than one: this event stands for all of them. */
  count: number;
  /** It comes and goes: it is held, and cleared when it has been over for long. */
  flapping?: true;
  figures: Figures;
  /** The page of the console; only its path if nobody has set the address. */
  link: string;
  /** The same in the event that raises the condition and in the one that clears it. */
  incident: string;
}

/** Our own events are no producer's: neither its size nor how it retries matters. */
const RULES = {
  MAX_EVENT_BYTES: 262_144,
  DEDUPE_STRATEGY: 'intent',
  DEDUPE_INCLUDE_EVENT_ID: true,
  DEDUPE_INCLUDE_OCCURRED_AT: true,
} as const;

/** Prepares an operator event to be stored as any other event. Its key admits one raise and one clear of an incident. */
export function preparedOperatorEvent(event: OperatorEvent): PreparedEvent {
  const { kind, ...payload } = event;
  const envelope = {
    eventType: kind,
    subject: event.subject ?? kind,
    source: RESERVED_TENANT,
    partitionKey: event.incident,
    payload,
  };
  const text = JSON.stringify(envelope);
  const context = {
    tenantId: RESERVED_TENANT,
    correlationId: event.incident,
    traceparent: undefined,
    idempotencyKey: `${event.incident}:${event.state}`,
  };
  const prepared = prepareText({ text, value: envelope }, context, RULES, Buffer.byteLength(text));
  if ('rejection' in prepared) throw new Error(`an operator event is invalid: ${prepared.rejection.message}`);
  return prepared.prepared;
}
