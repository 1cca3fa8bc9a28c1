/** Of an event, counting the event as it was sent. Reading the event returns all of them with their payloads. */
export const MAX_REVISIONS = 20;

/** Names one payload of an event. Revision 1 is the event as it was sent; it is not stored as a revision. */
export interface RevisionKey {
  eventId: string;
  revision: number;
}

/** What a revision puts in place of the payload of the event. */
export interface RevisedContent {
  /** JSON text, exactly as the operator sent it. */
  payloadJson: string;
  /** SHA-256 of the canonical content of the event with this payload, in hex. */
  hash: string;
}

export interface NewRevision extends RevisionKey, RevisedContent {
  sizeBytes: number;
  note: string | null;
  /** Name of the operator. */
  actor: string;
}

export interface Revision extends NewRevision {
  /** RFC 3339, UTC, milliseconds. */
  createdAt: string;
  /** When an erasure removed the payload. */
  erasedAt: string | null;
}
