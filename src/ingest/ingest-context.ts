import type { FastifyRequest } from 'fastify';
import type { RequestContext } from '../event/prepare-event';
import { readTraceparent } from '../http/correlation';
import { readIdempotencyKey } from '../http/idempotency-key-header';

/**
 * Returns the facts of a request that apply to every event in it. The route needs a IngestGuard. Controllers call this
 * function: Nest passes the value of a parameter decorator through all pipes, which took 5 % of the CPU time of a POST.
 * @throws Problem `idempotency-key-invalid`
 */
export function readIngestContext({
  id,
  headers,
  tenantId,
}: Pick<FastifyRequest, 'id' | 'headers' | 'tenantId'>): RequestContext {
  if (tenantId === undefined) throw new Error('no guard has set the tenant of this request');
  return {
    tenantId,
    correlationId: id,
    traceparent: readTraceparent({ headers }),
    idempotencyKey: readIdempotencyKey(headers),
  };
}
