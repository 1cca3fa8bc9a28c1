import type { DestinationAuth } from '../../destinations/auth/destination-auth';
import { DESTINATION_LIMITS, type SealedDestination } from '../../destinations/destination';
import type { ReplacedDestination } from '../../destinations/destinations.queries';
import type { StaticHeaders } from '../../destinations/render/static-headers';
import type { DestinationByUidRequest, DestinationChangeRequest } from './destinations.requests';

/** What an operator decides of a destination, apart from what is stored sealed. */
export type DestinationFields = Omit<ReplacedDestination, 'headers' | 'auth'>;

/** Headers and credentials of a request. Undefined: those of the destination stay. */
export interface GivenSecrets {
  headers: StaticHeaders | null | undefined;
  auth: DestinationAuth | null | undefined;
}

type Given = Omit<DestinationByUidRequest, 'tenantId' | 'headers' | 'auth' | 'secret'> & { uid?: string };

/** The fields of a new destination, or of one that is replaced as a whole. */
export function destinationFields(request: Given): DestinationFields {
  return {
    url: request.url,
    uid: request.uid ?? null,
    eventTypes: request.eventTypes ?? ['*'],
    enabled: request.enabled ?? true,
    description: request.description ?? '',
    filter: request.filter ?? null,
    transform: request.transform ?? null,
    format: request.format ?? 'event',
    retrySchedule: request.retrySchedule ?? null,
    ratePerSecond: request.ratePerSecond ?? null,
    timeoutMs: request.timeoutMs ?? DESTINATION_LIMITS.timeoutMs.default,
    maxInFlight: request.maxInFlight ?? DESTINATION_LIMITS.maxInFlight.default,
    minSeverity: request.minSeverity ?? null,
    quietHours: request.quietHours ?? null,
    ...orderOf(request, { ordering: 'none', onPoison: 'block', latestOnly: false }),
  };
}

type Order = Pick<DestinationFields, 'ordering' | 'onPoison' | 'latestOnly'>;

/**
 * `latestOnly` needs the order of a key, so it turns it on where the request does not say what the order is; taking the order
 * away takes `latestOnly` away. A request for one without the other is refused (check-destination.ts).
 */
function orderOf({ ordering, onPoison, latestOnly }: Partial<Order>, before: Order): Order {
  return {
    ordering: ordering ?? (latestOnly ? 'key' : before.ordering),
    onPoison: onPoison ?? before.onPoison,
    latestOnly: latestOnly ?? (ordering === 'none' ? false : before.latestOnly),
  };
}

/** The fields of a destination after a change. What the request leaves out stays. */
export function changedDestination(
  destination: SealedDestination,
  change: DestinationChangeRequest,
): DestinationFields {
  const { headers: _headers, auth: _auth, ...changed } = change;
  const { url, uid, eventTypes, enabled, description, filter, transform, format } = destination;
  const { retrySchedule, ratePerSecond, timeoutMs, maxInFlight, minSeverity, quietHours } = destination;
  const pace = { retrySchedule, ratePerSecond, timeoutMs, maxInFlight };
  const before = { url, uid, eventTypes, enabled, description, filter, transform, format, minSeverity, quietHours };
  const given = Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined));
  return { ...before, ...pace, ...given, ...orderOf(change, destination) };
}

/** A request as the audit trail records it: without header values, credentials and secrets. */
export function auditedRequest(request: object): object {
  const { headers, auth, secret, ...rest } = request as DestinationByUidRequest;
  return {
    ...rest,
    ...(headers === undefined ? {} : { headers: headers && Object.keys(headers) }),
    ...(auth === undefined ? {} : { auth: auth && { type: (auth as { type?: unknown }).type } }),
    ...(secret === undefined ? {} : { secret: 'given' }),
  };
}
