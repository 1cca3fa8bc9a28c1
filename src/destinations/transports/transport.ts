import type { AddressGuard } from '../address/address-guard';
import type { Answer } from '../delivery-client';
import type { SealedDestination } from '../destination';
import type { DescribedBody } from '../render/cloud-event-format';
import type { SecretBox } from '../secrets/secret-box';

/** A message to a destination: an event or a test. */
export interface DeliveryMessage {
  /** The same in all deliveries of an event. A revision of the event has one of its own. */
  id: string;
  /** The normalised event as JSON. */
  body: Buffer;
  /** Number of this attempt, from 1. */
  attempt: number;
  correlationId: string;
  traceparent?: string;
}

/** What a transport may need besides the destination. */
export interface TransportParts {
  guard: AddressGuard;
  /** Opens the secrets of the destination. */
  box: SecretBox;
}

/** What one process holds for one revision of a destination. */
export interface Connection {
  /**
   * Makes one attempt. Resolves with its answer within the `timeoutMs` of the destination, or soon after `signal` aborts:
   * the lease of the delivery lasts little longer. Does not throw. The status of an answer is one of HTTP, because the
   * retries and the circuit go by it (deliveries/decide/classify-answer.ts).
   */
  send(message: DeliveryMessage, rendered: DescribedBody, signal: AbortSignal): Promise<Answer>;
  /** Called once, after the last attempt has ended. */
  close(): Promise<void>;
}

/**
 * A kind of destination: how messages get there. Filter, transform, format, retries, circuit, pace and status are the same
 * for all kinds. docs/destination-kinds.md says how a kind is added.
 */
export interface Transport {
  /** @throws UnopenedSecretError */
  open(destination: SealedDestination, parts: TransportParts): Connection;
  /**
   * Says what is wrong with a URL that is to be registered, as in "url must name a queue". Undefined if it is fine.
   * Without this function, the URL is checked as an HTTP address.
   */
  refusalOf?(url: URL, isProduction: boolean): string | undefined;
}
