import { QUEUES, type OutgoingMessage } from './broker';
import { bundleBody, MOST_BUNDLE_BYTES, MOST_IN_BUNDLE } from './bundle-form';
import { signedHeadersOfBundle } from './message-signature';
import { toAmqpHeaders, underOneName } from './rabbit-headers';
import { BUNDLES } from './rabbit-names';
import type { Mac } from '../integrity/mac';

/** The entries that one message of RabbitMQ carries, and their positions in the call of publish. */
export interface Packet {
  entries: OutgoingMessage[];
  positions: number[];
}

/** A message as RabbitMQ gets it. */
export interface Encoded {
  routingKey: string;
  id: string;
  body: Buffer;
  headers: Record<string, string>;
}

/**
 * Packs messages of `events.main` into bundles of up to `most`, in their order. An entry that has no neighbour, or a body
 * over MOST_BUNDLE_BYTES, travels alone, as all messages of other queues do: retries wait in a queue of their own so that
 * they delay nothing, and are few.
 */
export function packed(messages: readonly OutgoingMessage[], most: number): Packet[] {
  const packets: Packet[] = [];
  let open: Packet | undefined;
  let bytes = 0;
  for (const [i, message] of messages.entries()) {
    const { length } = message.body;
    if (message.queue !== QUEUES.main || most === 1 || length > MOST_BUNDLE_BYTES) {
      packets.push({ entries: [message], positions: [i] });
      continue;
    }
    if (!open || open.entries.length === most || bytes + length > MOST_BUNDLE_BYTES) {
      packets.push((open = { entries: [], positions: [] }));
      bytes = 0;
    }
    open.entries.push(message);
    open.positions.push(i);
    bytes += length;
  }
  return packets;
}

/** A bundle has the id of its first entry. */
export function encoded({ entries }: Packet, mac: Mac | undefined): Encoded {
  const [first] = entries as [OutgoingMessage];
  const { id } = first;
  if (entries.length === 1) {
    return { routingKey: first.queue, id, body: first.body, headers: toAmqpHeaders(first, mac) };
  }
  const body = bundleBody(entries);
  const headers = underOneName(signedHeadersOfBundle({ queue: BUNDLES, id, body }, entries.length, mac));
  return { routingKey: BUNDLES, id, body, headers };
}

/** How long it counts that a worker was seen. Bundles of that time wait for the next one. */
const SEEN_FOR_MS = 1_000;
/** Weight of the newest bundle in the average size. */
const WEIGHT = 0.05;

/** What this process knows of the queue of bundles. */
export class BundleQueue {
  private consumers = 0;
  private seenMs = -Infinity;
  private entriesEach = MOST_IN_BUNDLE / 2;

  saw(consumers: number, nowMs: number): void {
    this.consumers = consumers;
    this.seenMs = nowMs;
  }

  /** A bundle found no queue. */
  isGone(nowMs: number): void {
    this.saw(0, nowMs);
  }

  /** Whether a worker takes bundles; undefined if it has to be looked up. */
  hasReaders(nowMs: number): boolean | undefined {
    return nowMs - this.seenMs < SEEN_FOR_MS ? this.consumers > 0 : undefined;
  }

  published(entries: number): void {
    this.entriesEach += (entries - this.entriesEach) * WEIGHT;
  }

  /** An estimate of the entries in so many bundles. */
  entriesIn(bundles: number): number {
    return Math.round(bundles * this.entriesEach);
  }
}
