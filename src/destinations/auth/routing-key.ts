import type { DeliveryFormat } from '../render/delivery-format';
import type { DestinationAuth } from './destination-auth';

/** PagerDuty's name of the header with the key of an integration. The Events API wants the key in the body as well. */
export const ROUTING_KEY_HEADER = 'X-Routing-Key';

/** True for credentials that hold a routing key. */
export const isRoutingKey = (auth: DestinationAuth | null): boolean =>
  auth?.type === 'header' && auth.name.toLowerCase() === ROUTING_KEY_HEADER.toLowerCase();

/**
 * Adds the routing key to a body for PagerDuty. The body is without it until it is sent, so that nobody who looks at a
 * delivery sees it.
 * @param ofAuth the headers of the credentials, by lower-case name
 */
export function withRoutingKey(format: DeliveryFormat, ofAuth: Readonly<Record<string, string>>, body: Buffer): Buffer {
  const key = format === 'pagerduty' ? ofAuth[ROUTING_KEY_HEADER.toLowerCase()] : undefined;
  if (key === undefined) return body;
  return Buffer.concat([Buffer.from(`{"routing_key":${JSON.stringify(key)},`), body.subarray(1)]);
}
