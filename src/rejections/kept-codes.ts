import type { ProblemCode } from '../event/problems';

/**
 * Refusals of what a known tenant sent that sending it again would not change. What was refused is kept, or the producer
 * is told that it was not. Refusals of the caller, of its pace and of the request as such are not among them.
 */
const KEPT_CODES: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'malformed-body',
  'invalid-event',
  'unsupported-character',
  'event-too-large',
  'stream-too-large',
  'expansion-too-large',
  'event-id-conflict',
  'idempotency-key-reused',
  'idempotency-key-invalid',
  'unsupported-media-type',
]);

export const isKeptCode = (code: ProblemCode): boolean => KEPT_CODES.has(code);
