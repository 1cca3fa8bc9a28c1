/** An event as it arrives at a worker. */
export interface DispatchedEvent {
  id: string;
  tenantId: string;
  type: string;
  /** RFC 3339, UTC, milliseconds. */
  receivedAt: string;
  sizeBytes: number;
  correlationId: string;
  /** W3C trace context of the request that brought it, if it had one. */
  traceparent?: string;
  /** Which dispatch of the event this is; a lower one never runs after a higher one is visible (I11). */
  dispatchNo: number;
  /** Raised by a replay that runs the handlers again. */
  generation: number;
  /** The normalised event as JSON. Parsing it rounds numbers beyond 2^53, so only who needs it does. */
  body: Buffer;
}
