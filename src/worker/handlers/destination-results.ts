import type { DeliveryResult } from '../../destinations/courier';
import type { HandlerResult, UnfinishedResult } from '../handler';
import { classifyStatus } from '../settle/retry-policy';

/** A 410 says that nobody will ever listen there again. */
export const GONE = 410;

export const deliveredTo = (destinationId: string): string => `destination:${destinationId}`;
/** It was answered with a refusal that no retry can change, while others are still to be tried. */
export const refusedBy = (destinationId: string): string => `destination-refused:${destinationId}`;

export interface DestinationOutcome {
  destinationId: string;
  outcome: DeliveryResult;
}

/** What the end of one request means for the event; the table stands at classifyError (retry-policy.ts). */
function toResult({ destinationId, outcome }: DestinationOutcome): HandlerResult {
  if (outcome.kind === 'held') {
    return { kind: 'postpone', reasonCode: outcome.reason, message: outcome.message, afterMs: outcome.afterMs };
  }
  const from = `destination ${destinationId}`;
  if (outcome.kind === 'failed') {
    const kind = outcome.reason === 'ADDRESS_REFUSED' ? 'dead-letter' : 'retry';
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
 * One result for the event, of the deliveries that were made now. What has come to be is remembered. While some other
 * destination may still succeed, a refusal is no dead letter yet: it is remembered, and `refusedBefore` brings it back
 * when the others are settled. A neighbour's fault never costs a destination its retries.
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
  // A refusal was an attempt, even where all that is left to do is to wait.
  if (worst.kind === 'postpone' && refused.length > 0) return { ...worst, kind: 'retry', message, effects };
  return { ...worst, message, effects };
}

function refusedEarlier(ids: readonly string[]): UnfinishedResult {
  const message = `refused at an earlier attempt by ${ids.map((id) => `destination ${id}`).join(', ')}`;
  return { kind: 'dead-letter', reasonCode: 'HTTP_4XX', message };
}

/** A retry decides before a postponement, the longer wait before the shorter, and both before a refusal. */
function byUrgency(a: UnfinishedResult, b: UnfinishedResult): number {
  const rank = { retry: 0, postpone: 1, 'dead-letter': 2 };
  return rank[a.kind] - rank[b.kind] || waitOf(b) - waitOf(a);
}

const waitOf = (result: UnfinishedResult): number => (result.kind === 'dead-letter' ? 0 : (result.afterMs ?? 0));
