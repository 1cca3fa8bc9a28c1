/** An event as a worker receives it. */
export interface DispatchedEvent {
  id: string;
  tenantId: string;
  type: string;
  /** RFC 3339, UTC, milliseconds. */
  receivedAt: string;
  sizeBytes: number;
  correlationId: string;
  /** W3C trace context of the ingest request, if it had one. */
  traceparent?: string;
  /** Number of this dispatch of the event. A lower number never runs after a higher one is visible (I11). */
  dispatchNo: number;
  /** Raised by a replay in mode `reprocess`, which runs the handlers again. */
  generation: number;
  /** The number of the revision in `body`; undefined for the event as it was sent. */
  revision?: number | undefined;
  /** When its message was published, in ms since 1970. Undefined if the build before published it. */
  publishedAtMs?: number;
  /** The normalised event as JSON. Handlers parse it only if they need it: JSON.parse rounds integers beyond 2^53. */
  body: Buffer;
}
