import { hash as digest } from 'node:crypto';
import { quoted } from '../json/canonical-json';
import type { NormalisedEnvelope } from '../validate-envelope';

/** The content of an event without its payload, in the pieces that canonicalContent joins. */
export interface CanonicalFields {
  further: string;
  occurredAt: string;
  beforePayload: string;
  afterPayload: string;
}

/**
 * Returns the canonical JSON of the normalised fields that belong to the content of an event.
 * @param source in place of the source of the envelope
 * @param further canonical members that come first, each followed by a comma
 */
export function canonicalFields(
  envelope: NormalisedEnvelope,
  source: string = envelope.source,
  further = '',
): CanonicalFields {
  const { occurredAt, partitionKey, schemaVersion, specVersion, subject, type } = envelope;
  return {
    further,
    occurredAt: occurredAt ? `"occurredAt":${quoted(occurredAt.exact)},` : '',
    beforePayload: `"partitionKey":${quoted(partitionKey)},"payload":`,
    afterPayload:
      `,"schemaVersion":${quoted(schemaVersion)},"source":${quoted(source)},"specVersion":${quoted(specVersion)},` +
      `"subject":${quoted(subject)},"type":${quoted(type)}}`,
  };
}

/**
 * Returns the content of an event as RFC 8785 canonical JSON. The content is the payload and the normalised fields
 * except the event id and the correlation id. The content includes `occurredAt` only if `withOccurredAt` is set. Two
 * copies of an event give the same text, even if they differ in key order, time offset or omitted defaults.
 * @param payload its canonical JSON
 */
export function canonicalContent(fields: CanonicalFields, payload: string, withOccurredAt: boolean): string {
  const { further, occurredAt, beforePayload, afterPayload } = fields;
  return `{${further}${withOccurredAt ? occurredAt : ''}${beforePayload}${payload}${afterPayload}`;
}

/** Returns the SHA-256 of a text in hex. */
export function sha256(text: string): string {
  return digest('sha256', text, 'hex');
}
