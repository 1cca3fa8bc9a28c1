import { largestSourceBody } from '../../config/largest-source-body';
import type { RecordRejection } from '../../event/prepare-event';

/** Each record may use up the time limit of an expression, and its producer waits for the answer. */
const MAX_MAPPING_MS = 10_000;
/** Times the largest body. Each record could find the whole body as its payload. */
const MAX_PAYLOADS_PER_BODY = 16;

/** What the mapping of one request may use up. The records after that are rejected. */
export class MappingLimits {
  private readonly endMs = performance.now() + MAX_MAPPING_MS;
  private readonly maxPayloadBytes: number;
  private payloadBytes = 0;

  constructor(maxEventBytes: number) {
    this.maxPayloadBytes = MAX_PAYLOADS_PER_BODY * largestSourceBody(maxEventBytes);
  }

  countPayload(bytes: number): void {
    this.payloadBytes += bytes;
  }

  reached(): RecordRejection | undefined {
    if (performance.now() >= this.endMs) {
      const message = `mapping: the expressions took more than ${MAX_MAPPING_MS / 1_000} s for the records before this one`;
      return { code: 'invalid-event', message, errors: [] };
    }
    if (this.payloadBytes <= this.maxPayloadBytes) return undefined;
    const message = `mapping.payload: the payloads of the records before this one exceed ${this.maxPayloadBytes} bytes`;
    return { code: 'event-too-large', message, errors: [] };
  }
}
