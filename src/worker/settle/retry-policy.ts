import { types } from 'node:util';
import type { RetryDecision } from '../../event-state/settle-failures.queries';
import { InvalidPayloadError, type UnfinishedResult } from '../handler';

export interface RetryRules {
  MAX_RETRY_ATTEMPTS: number;
  /** Wait before each retry in ms. The last value repeats. */
  RETRY_BACKOFF_MS: readonly number[];
  /** Fraction by which a wait varies, from 0 to 1. */
  RETRY_JITTER: number;
}

/** The longest wait that a handler or a Retry-After header can request. */
const MAX_WAIT_MS = 24 * 3_600_000;

/**
 * Decides what follows an attempt that did not finish the event. A retry waits for the longer of the backoff (with
 * jitter) and `afterMs`. After the last attempt the event becomes a dead letter with the reason of that attempt and
 * `exhausted`. `random` is a number from 0 to 1.
 */
export function decide(
  result: UnfinishedResult,
  attemptNumber: number,
  rules: RetryRules,
  random: number,
): RetryDecision {
  const { kind, reasonCode, message = '' } = result;
  if (kind === 'dead-letter') return { kind, reasonCode, message, exhausted: false };
  const afterMs = Math.min(Math.max(result.afterMs ?? 0, 0), MAX_WAIT_MS);
  if (kind === 'postpone') return { kind, reasonCode, message, delayMs: afterMs };
  if (attemptNumber >= rules.MAX_RETRY_ATTEMPTS) {
    return { kind: 'dead-letter', reasonCode, message, exhausted: true };
  }
  return { kind, reasonCode, message, delayMs: Math.max(backoffMs(attemptNumber, rules, random), afterMs) };
}

function backoffMs(attemptNumber: number, rules: RetryRules, random: number): number {
  const waits = rules.RETRY_BACKOFF_MS;
  const wait = waits[Math.min(attemptNumber, waits.length) - 1] ?? 0;
  return Math.round(wait * (1 + rules.RETRY_JITTER * (2 * random - 1)));
}

/** Postpones an event that was not tried because many events of its tenant failed. The wait doubles each time. */
export function postponeTenant(dispatchNo: number, random: number): UnfinishedResult {
  const afterMs = Math.min(1_000 * 2 ** (dispatchNo - 1), 60_000) * (0.8 + 0.4 * random);
  return {
    kind: 'postpone',
    reasonCode: 'TENANT_FAILING',
    message: 'many events of this tenant are failing',
    afterMs: Math.round(afterMs),
  };
}

/** Returns the more severe of two results of one event: dead-letter, then retry, then postpone. */
export function moreSevere(a: UnfinishedResult, b: UnfinishedResult): UnfinishedResult {
  const rank = { 'dead-letter': 2, retry: 1, postpone: 0 };
  if (rank[a.kind] !== rank[b.kind]) return rank[a.kind] > rank[b.kind] ? a : b;
  return waitOf(b) > waitOf(a) ? b : a; // of two waits the longer one, which satisfies both
}

const waitOf = (result: UnfinishedResult): number => (result.kind === 'dead-letter' ? 0 : (result.afterMs ?? 0));

/**
 * Turns an error that a handler threw into a result.
 *
 * | error                                                        | then        | reason            |
 * |--------------------------------------------------------------|-------------|-------------------|
 * | `status` 429                                                 | retry       | HTTP_429          |
 * | `status` 408, 425                                            | retry       | HTTP_4XX          |
 * | `status` 500 to 599                                          | retry       | HTTP_5XX          |
 * | `status` 300 to 399                                          | dead letter | HTTP_3XX          |
 * | `status` 400 to 499, others                                  | dead letter | HTTP_4XX          |
 * | named TimeoutError or AbortError; codes of elapsed deadlines | retry       | TIMEOUT           |
 * | system and socket codes (ECONNREFUSED, ENOTFOUND, …)         | retry       | CONNECTION_FAILED |
 * | InvalidPayloadError                                          | dead letter | INVALID_PAYLOAD   |
 * | anything else, SQL errors included                           | retry       | HANDLER_ERROR     |
 *
 * `status` and `retryAfterMs` are read from the error, codes from the error or from its `cause` (where fetch puts
 * them).
 */
export function classifyError(error: unknown): UnfinishedResult {
  const message = messageOf(error);
  if (error instanceof InvalidPayloadError) return { kind: 'dead-letter', reasonCode: 'INVALID_PAYLOAD', message };
  const status = numberIn(error, 'status');
  if (status !== undefined && status >= 300 && status <= 599) {
    return classifyStatus(status, message, numberIn(error, 'retryAfterMs'));
  }
  if (isTimeout(error)) return { kind: 'retry', reasonCode: 'TIMEOUT', message };
  const code = codeOf(error);
  if (code !== undefined && CONNECTION_CODES.has(code))
    return { kind: 'retry', reasonCode: 'CONNECTION_FAILED', message };
  return { kind: 'retry', reasonCode: 'HANDLER_ERROR', message };
}

/** Applies the rows of the table above to an HTTP status of 300 or more. */
export function classifyStatus(status: number, message: string, retryAfterMs?: number): UnfinishedResult {
  const wait = retryAfterMs === undefined ? {} : { afterMs: retryAfterMs };
  if (status >= 500) return { kind: 'retry', reasonCode: 'HTTP_5XX', message, ...wait };
  if (status === 429) return { kind: 'retry', reasonCode: 'HTTP_429', message, ...wait };
  if (status === 408 || status === 425) return { kind: 'retry', reasonCode: 'HTTP_4XX', message, ...wait };
  return { kind: 'dead-letter', reasonCode: status < 400 ? 'HTTP_3XX' : 'HTTP_4XX', message };
}

const CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'UND_ERR_SOCKET',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);
const TIMEOUT_CODES = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

function isTimeout(error: unknown): boolean {
  const name = types.isNativeError(error) || error instanceof DOMException ? error.name : '';
  return name === 'TimeoutError' || name === 'AbortError' || TIMEOUT_CODES.has(codeOf(error) ?? '');
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'cause' in error ? codeOf(error.cause) : undefined;
}

function numberIn(error: unknown, name: 'status' | 'retryAfterMs'): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'number' ? value : undefined;
}

/** Falls back to the code or name of an error without a message, as AggregateError may be. */
function messageOf(error: unknown): string {
  if (!types.isNativeError(error) && !(error instanceof DOMException)) return String(error);
  return error.message || (codeOf(error) ?? error.name);
}
