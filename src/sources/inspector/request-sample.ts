import type { KeptRequest } from '../request/kept-request';
import type { VerificationFacts } from '../verification/verdict';

/** What became of a request of a source. */
export const SAMPLE_RESULTS = [
  'accepted',
  'duplicate',
  'filtered',
  'rejected',
  'unverified',
  'handshake',
  'failed',
] as const;
export type SampleResult = (typeof SAMPLE_RESULTS)[number];

/** With these, nothing was taken: a source of which nothing else comes is silent. */
export const NOT_TAKEN: readonly SampleResult[] = ['unverified', 'rejected', 'failed'];

/** One of the last requests of a source, as the inspector shows it. */
export interface RequestSample {
  /** UUIDv7. */
  id: string;
  result: SampleResult;
  /** Status of the response. */
  status: number;
  /** Problem code of a request or record that was refused; null otherwise. */
  code: string | null;
  /** Why, in words; null if it was taken. */
  reason: string | null;
  /** What helps to find out why a request was not verified. */
  facts: VerificationFacts;
  /** Which secret was right. */
  keyHint: string | null;
  /** Ids of the first events that the request led to or repeated. */
  eventIds: string[];
  /** Ids of its first rejections. */
  rejectionIds: string[];
  /** Number of records in the request. */
  records: number;
  correlationId: string;
  durationMs: number;
  request: KeptRequest;
  bodyBytes: number;
  /** The first 2 KB of the body, if they are text; otherwise null. */
  bodyText: string | null;
  /** The same in base64 if they are not text. */
  bodyBase64: string | null;
}
