import type { Answer } from '../../destinations/delivery-client';

/**
 * - done: delivered
 * - slow-down: the receiver takes fewer at a time; later it takes this one
 * - retry: it may take this one later
 * - fail: it will never take this one
 * - gone: it will never take anything again
 */
export type AnswerKind = 'done' | 'slow-down' | 'retry' | 'fail' | 'gone';

/**
 * What an answer says about the destination. `alive`: it responded, but it did not take the event. `failure`: it cannot be
 * used now, or its token endpoint cannot. `nothing`: no request was sent, and none will be.
 */
export type Health = 'success' | 'alive' | 'failure' | 'timeout' | 'nothing';

export interface ClassifiedAnswer {
  kind: AnswerKind;
  health: Health;
  reasonCode: string;
  /** Null without an answer. */
  statusCode: number | null;
  /** Empty after a success. */
  message: string;
  /** Start of the response. */
  text: string;
  /** What Retry-After asks for. */
  retryAfterSeconds?: number;
}

/** Reasons for which a request is never sent. */
const FINAL_REASONS: ReadonlySet<string> = new Set(['ADDRESS_REFUSED', 'TRANSFORM_FAILED']);

/**
 * Says what follows an answer.
 *
 * | answer                               | then                                   | reason            |
 * |--------------------------------------|----------------------------------------|-------------------|
 * | 200 to 299                           | done                                   | PROCESSED         |
 * | 429; 503 with Retry-After            | slow-down                              | HTTP_429, HTTP_5XX |
 * | 408, 425                             | retry                                  | HTTP_4XX          |
 * | 500 to 599                           | retry                                  | HTTP_5XX          |
 * | 410                                  | gone: the destination is disabled      | HTTP_4XX          |
 * | 300 to 399, other 400 to 499         | fail                                   | HTTP_3XX, HTTP_4XX |
 * | 600 to 999                           | fail                                   | HTTP_5XX          |
 * | 100 to 199, or none that is HTTP     | retry                                  | INVALID_RESPONSE  |
 * | the connection failed                | retry                                  | CONNECTION_FAILED |
 * | none in time                         | retry                                  | TIMEOUT           |
 * | no token for the request             | retry                                  | AUTH_FAILED       |
 * | the address is not allowed           | fail                                   | ADDRESS_REFUSED   |
 * | the transform failed                 | fail                                   | TRANSFORM_FAILED  |
 */
export function classifyAnswer(answer: Answer): ClassifiedAnswer {
  if (answer.kind === 'failed') return withoutStatus(answer.reason, answer.message);
  const { status, text, retryAfterMs } = answer;
  const wait = retryAfterMs === undefined ? {} : { retryAfterSeconds: retryAfterMs / 1_000 };
  return { ...ofStatus(status, retryAfterMs !== undefined), ...messageOf(status, text), ...wait };
}

/** For an attempt that got no answer. */
export function withoutStatus(reasonCode: string, message: string): ClassifiedAnswer {
  const isFinal = FINAL_REASONS.has(reasonCode);
  const health: Health = isFinal ? 'nothing' : reasonCode === 'TIMEOUT' ? 'timeout' : 'failure';
  return { kind: isFinal ? 'fail' : 'retry', health, reasonCode, statusCode: null, message, text: '' };
}

function ofStatus(status: number, hasRetryAfter: boolean): Pick<ClassifiedAnswer, 'kind' | 'health' | 'reasonCode'> {
  if (status < 200) return { kind: 'retry', health: 'failure', reasonCode: 'INVALID_RESPONSE' };
  if (status < 300) return { kind: 'done', health: 'success', reasonCode: 'PROCESSED' };
  if (status < 400) return { kind: 'fail', health: 'alive', reasonCode: 'HTTP_3XX' };
  if (status === 429) return { kind: 'slow-down', health: 'alive', reasonCode: 'HTTP_429' };
  if (status === 408 || status === 425) return { kind: 'retry', health: 'failure', reasonCode: 'HTTP_4XX' };
  if (status === 410) return { kind: 'gone', health: 'alive', reasonCode: 'HTTP_4XX' };
  if (status < 500) return { kind: 'fail', health: 'alive', reasonCode: 'HTTP_4XX' };
  if (status === 503 && hasRetryAfter) return { kind: 'slow-down', health: 'alive', reasonCode: 'HTTP_5XX' };
  if (status < 600) return { kind: 'retry', health: 'failure', reasonCode: 'HTTP_5XX' };
  return { kind: 'fail', health: 'alive', reasonCode: 'HTTP_5XX' };
}

function messageOf(statusCode: number, text: string): Pick<ClassifiedAnswer, 'statusCode' | 'message' | 'text'> {
  if (statusCode >= 200 && statusCode < 300) return { statusCode, message: '', text };
  return { statusCode, message: text === '' ? `answered ${statusCode}` : `answered ${statusCode}: ${text}`, text };
}
