import { cloudEventMembers } from './cloud-event/cloud-event-extensions';
import type { Event } from './event';
import { canonicalContent, canonicalFields, sha256 } from './identity/content-hash';
import { parseInstant } from './instant';
import { scanJsonObject } from './json/json-text';
import { parseJson } from './json/parse-json';
import { readPayload, refusedByScan, refusedSize, type ContentRules, type RecordRejection } from './prepare-event';

/** Another payload of a stored event. */
export interface RevisedPayload {
  payloadJson: string;
  /** SHA-256 of the canonical content of the event with this payload, in hex. */
  hash: string;
  sizeBytes: number;
}

/**
 * Checks a payload as at intake, and hashes the event with it. The payload of the event itself gives the hash that the
 * event has, unless its time had more than milliseconds or its data was no JSON.
 * @param payloadJson valid JSON
 */
export function reviseEvent(
  event: Event,
  payloadJson: string,
  { MAX_EVENT_BYTES }: Pick<ContentRules, 'MAX_EVENT_BYTES'>,
): { revised: RevisedPayload } | { rejection: RecordRejection } {
  const sizeBytes = Buffer.byteLength(payloadJson);
  const tooLarge = refusedSize(sizeBytes, MAX_EVENT_BYTES);
  if (tooLarge) return tooLarge;
  const text = `{"payload":${payloadJson}}`;
  const scan = scanJsonObject(text);
  const refused = refusedByScan(scan);
  if (refused) return refused;
  const read = readPayload(text, scan, (parseJson(text) as { payload: unknown }).payload, undefined);
  if ('rejection' in read) return read;
  return { revised: { payloadJson: read.payloadJson, hash: hashOf(event, read.canonicalPayload), sizeBytes } };
}

function hashOf(event: Event, canonicalPayload: string): string {
  const wasSent = event.occurredAt !== event.receivedAt; // otherwise it is the time of receipt
  const occurredAt = wasSent ? parseInstant(event.occurredAt) : undefined;
  const { extensionsJson } = event;
  const isRenamed = event.sourceId && !extensionsJson; // as prepareEvent hashes the events of a source
  const fields = canonicalFields(
    { ...event, occurredAt },
    isRenamed ? (event.sourceId ?? undefined) : event.source,
    extensionsJson ? cloudEventMembers(extensionsJson) : '',
  );
  return sha256(canonicalContent(fields, canonicalPayload, true));
}
