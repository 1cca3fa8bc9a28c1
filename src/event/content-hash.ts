import { hash as digest } from 'node:crypto';
import { canonicalJson, quoted } from './json/canonical-json';
import type { NormalisedEnvelope } from './validate-envelope';

/**
 * The canonical content of an event, as RFC 8785 writes it: what the producer said, after normalisation, without ids, correlation and receipt
 * time. Two sends of one fact are equal here whatever their key order, offset of time or defaults left out.
 */
export function canonicalContent(envelope: NormalisedEnvelope, payload: unknown, withOccurredAt: boolean): string {
  const { occurredAt, partitionKey, schemaVersion, source, specVersion, subject, type } = envelope;
  const when = withOccurredAt && occurredAt ? `"occurredAt":${quoted(occurredAt.exact)},` : '';
  return (
    `{${when}"partitionKey":${quoted(partitionKey)},"payload":${canonicalJson(payload)},` +
    `"schemaVersion":${quoted(schemaVersion)},"source":${quoted(source)},"specVersion":${quoted(specVersion)},` +
    `"subject":${quoted(subject)},"type":${quoted(type)}}`
  );
}

/** SHA-256 in hex. */
export function sha256(text: string): string {
  return digest('sha256', text, 'hex');
}
