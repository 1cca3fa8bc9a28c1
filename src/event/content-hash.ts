import { hash as digest } from 'node:crypto';
import { canonicalJson } from './canonical-json';
import type { NormalisedEnvelope } from './validate-envelope';

/**
 * The canonical content of an event: what the producer said, after normalisation, without ids, correlation and receipt
 * time. Two sends of one fact are equal here whatever their key order, offset of time or defaults left out.
 */
export function canonicalContent(envelope: NormalisedEnvelope, payload: unknown, withOccurredAt: boolean): string {
  const { occurredAt, partitionKey, schemaVersion, source, specVersion, subject, type } = envelope;
  const when = withOccurredAt && occurredAt ? { occurredAt: occurredAt.exact } : {};
  return canonicalJson({ ...when, partitionKey, payload, schemaVersion, source, specVersion, subject, type });
}

/** SHA-256 in hex. */
export function sha256(text: string): string {
  return digest('sha256', text, 'hex');
}
