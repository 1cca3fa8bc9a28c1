import { quoted } from '../../event/json/canonical-json';
import type { SourceAnswer, Answers, Outcome } from '../directory/answers';
import type { RecordOfRequest } from './prepare-request';

/** What became of each record of a request. */
export type RecordResult = { record: RecordOfRequest } & (
  | { kind: 'accepted' | 'duplicate'; id: string; eventId: string }
  | { kind: 'filtered' }
  | { kind: 'rejected'; rejectionId: string; code: string; message: string; pointer: string | null }
);

/** One word for a request: `rejected` if a record was, `duplicate` if all records were. */
export function outcomeOf(results: readonly RecordResult[]): Outcome {
  if (results.some(({ kind }) => kind === 'rejected')) return 'rejected';
  const isRepeated = results.length > 0 && results.every(({ kind }) => kind === 'duplicate');
  return isRepeated ? 'duplicate' : 'accepted';
}

/** The response of a request: that of the source's or the preset's policy, or one that says what became of it. */
export function answerFor(
  results: readonly RecordResult[],
  isBatch: boolean,
  answers: Answers,
  correlationId: string,
): SourceAnswer {
  const outcome = outcomeOf(results);
  const own = answers[outcome];
  if (own) return own;
  const body = isBatch ? { status: outcome, ...batchBody(results), correlationId } : undefined;
  const text = body ? JSON.stringify(body) : singleBody(results[0], correlationId);
  return { status: 200, body: text, contentType: JSON_UTF8 };
}

export const JSON_UTF8 = 'application/json; charset=utf-8';
/** Errors in one response. */
const MAX_ERRORS = 20;

function singleBody(result: RecordResult | undefined, correlationId: string): string {
  if (!result || result.kind === 'filtered') return JSON.stringify({ status: 'accepted', correlationId });
  if (result.kind === 'rejected') {
    const { kind: status, rejectionId, code, message, pointer } = result;
    return JSON.stringify({ status, rejectionId, errors: [{ code, message, pointer }], correlationId });
  }
  const { kind, id, eventId } = result; // without JSON.stringify: this is the answer to most requests
  return (
    `{"status":"${kind}","duplicate":${kind === 'duplicate'},"id":"${id}","eventId":${quoted(eventId)},` +
    `"correlationId":${quoted(correlationId)}}`
  );
}

function batchBody(results: readonly RecordResult[]): Record<string, unknown> {
  const count = (kind: RecordResult['kind']): number => results.filter((result) => result.kind === kind).length;
  const summary = {
    records: results.length,
    accepted: count('accepted'),
    duplicates: count('duplicate'),
    filtered: count('filtered'),
    rejected: count('rejected'),
  };
  const errors = results.flatMap((result) =>
    result.kind === 'rejected'
      ? [{ record: result.record.number, code: result.code, message: result.message, pointer: result.pointer }]
      : [],
  );
  return { summary, errors: errors.slice(0, MAX_ERRORS), errorsTruncated: errors.length > MAX_ERRORS };
}
