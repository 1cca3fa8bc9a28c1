import type { Schema } from './endpoints';
import { ApiProblem } from './problem';

export type Readiness = Schema<'ReadinessResponse'>;

/**
 * Reads a response of /ready. A process that is not ready says so with 503, which is an answer here.
 * @throws ApiProblem when something else has responded, such as a proxy
 */
export function readinessOf(status: number, text: string): Readiness {
  const sent = jsonOf(text) as Partial<Readiness> | null | undefined;
  if (typeof sent?.status === 'string' && typeof sent.checks === 'object') return sent as Readiness;
  const detail = `/ready responds with the status ${status} and without the checks of StreamForge. Something in between may have responded.`;
  throw new ApiProblem(status, 'unexpected-response', detail, undefined, status >= 500);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // an HTML page of a proxy, for instance
  }
}
