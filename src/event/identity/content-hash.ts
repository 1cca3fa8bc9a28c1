import { hash as digest } from 'node:crypto';
import { quoted } from '../json/canonical-json';
import type { NormalisedEnvelope } from '../validate-envelope';

/**
 * Returns the content of an event as RFC 8785 canonical JSON. The content is the payload and the normalised fields
 * except the event id and the correlation id. The content includes `occurredAt` only if `withOccurredAt` is set. Two
 * copies of an event give the same text, even if they differ in key order, time offset or omitted defaults.
 * @param payload its canonical JSON
 * @param further canonical members that come first, each followed by a comma
 */
export function canonicalContent(
  envelope: NormalisedEnvelope,
  payload: string,
  withOccurredAt: boolean,
  further = '',
): string {
  const { occurredAt, partitionKey, schemaVersion, source, specVersion, subject, type } = envelope;
  const when = withOccurredAt && occurredAt ? `"occurredAt":${quoted(occurredAt.exact)},` : '';
  return (
    `{${further}${when}"partitionKey":${quoted(partitionKey)},"payload":${payload},` +
    `"schemaVersion":${quoted(schemaVersion)},"source":${quoted(source)},"specVersion":${quoted(specVersion)},` +
    `"subject":${quoted(subject)},"type":${quoted(type)}}`
  );
}

/** Returns the SHA-256 of a text in hex. */
export function sha256(text: string): string {
  return digest('sha256', text, 'hex');
}
