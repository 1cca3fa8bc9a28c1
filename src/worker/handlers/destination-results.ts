import type { DeliveryResult } from '../../destinations/courier';
import type { HandlerResult, UnfinishedResult } from '../handler';
import { classifyStatus } from '../settle/retry-policy';

/** The receiver says that this URL is gone for good. */
export const GONE = 410;

export const deliveredTo = (destinationId: string): string => `destination:${destinationId}`;
/** Recorded for a destination whose response no retry can change, while other destinations are still unfinished. */
export const refusedBy = (destinationId: string): string => `destination-refused:${destinationId}`;

export interface DestinationOutcome {
  destinationId: string;
  outcome: DeliveryResult;
}

/** Failures that a retry cannot change. */
const FINAL: ReadonlySet<string> = new Set(['ADDRESS_REFUSED', 'TRANSFORM_FAILED']);

/** Maps the outcome of one request to a handler result. See the table at classifyError (retry-policy.ts). */
function toResult({ destinationId, outcome }: DestinationOutcome): HandlerResult {
  if (outcome.kind === 'held') {
    return { kind: 'postpone', reasonCode: outcome.reason, message: outcome.message, afterMs: outcome.afterMs };
  }
  const from = `destination ${destinationId}`;
  if (outcome.kind === 'failed') {
    const kind = FINAL.has(outcome.reason) ? 'dead-letter' : 'retry';
    return { kind, reasonCode: outcome.reason, message: `${from}: ${outcome.message}` };
  }
  const { status, text } = outcome;
  if (status >= 200 && status < 300) return { kind: 'done' };
  const disabled = status === GONE ? ' (it is disabled now)' : '';
  const message = `${status} from ${from}${disabled}${text === '' ? '' : `: ${text}`}`;
  if (status < 200) return { kind: 'retry', reasonCode: 'CONNECTION_FAILED', message };
  return classifyStatus(status, message, outcome.retryAfterMs);
}

/**
 * Combines the outcomes of this attempt into one result for the event. Successes are recorded as effects. A refusal is
 * recorded as an effect, too, while another destination may still succeed; once all others are finished,
 * `refusedBefore` makes the event a dead letter. A refusal by one destination therefore never costs another its
 * retries.
 */
export function combine(deliveries: readonly DestinationOutcome[], refusedBefore: readonly string[]): HandlerResult {
  const results = deliveries.map((delivery) => ({ id: delivery.destinationId, result: toResult(delivery) }));
  const unfinished = results.flatMap(({ id, result }) => (result.kind === 'done' ? [] : [{ id, result }]));
  const refused = unfinished.filter(({ result }) => result.kind === 'dead-letter');
  const open = unfinished.filter(({ result }) => result.kind !== 'dead-letter');
  const effects = [
    ...results.filter(({ result }) => result.kind === 'done').map(({ id }) => deliveredTo(id)),
    ...(open.length > 0 ? refused.map(({ id }) => refusedBy(id)) : []),
  ];
  if (open.length === 0 && refused.length === 0 && refusedBefore.length > 0) {
    return { ...refusedEarlier(refusedBefore), effects };
  }
  const [worst, ...others] = [...open, ...refused].map(({ result }) => result).sort(byUrgency);
  if (!worst) return { kind: 'done' };
  const message = [worst, ...others].map((result) => result.message ?? result.reasonCode).join('; ');
  // A refusal used an attempt, even if the other destinations were only postponed.
  if (worst.kind === 'postpone' && refused.length > 0) return { ...worst, kind: 'retry', message, effects };
  return { ...worst, message, effects };
}

function refusedEarlier(ids: readonly string[]): UnfinishedResult {
  const message = `refused in an earlier attempt by ${ids.map((id) => `destination ${id}`).join(', ')}`;
  return { kind: 'dead-letter', reasonCode: 'HTTP_4XX', message };
}

/** Sorts retries first, then postponements, then refusals; within a kind, the longer wait first. */
function byUrgency(a: UnfinishedResult, b: UnfinishedResult): number {
  const rank = { retry: 0, postpone: 1, 'dead-letter': 2 };
  return rank[a.kind] - rank[b.kind] || waitOf(b) - waitOf(a);
}

const waitOf = (result: UnfinishedResult): number => (result.kind === 'dead-letter' ? 0 : (result.afterMs ?? 0));
