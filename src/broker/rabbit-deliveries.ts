import type { Doubt, Message, ReceivedMessage } from './broker';

/** How a delivery ends once all of its entries are settled: as the one of them that comes last here. */
const ENDINGS = ['ack', 'park', 'requeue'] as const;
export type Ending = (typeof ENDINGS)[number];

/** A message of RabbitMQ that is neither acked nor returned: one entry, or a bundle of several. */
export interface Delivery {
  /** That of the channel. */
  tag: number;
  redelivered: boolean;
  /** Entries that are not settled. */
  open: number;
  ending: Ending;
}

/** What to tell the broker: acks of these and all before, then of single ones, and what it has to take back. */
export interface Ended {
  ackUpTo: number | undefined;
  ack: number[];
  park: number[];
  requeue: number[];
}

/**
 * The deliveries of one channel, and their entries. A delivery ends with its last entry: acked before, the broker would
 * forget entries that are not settled. Entries beyond `most` unsettled ones wait here.
 */
export class UnsettledDeliveries {
  /** Oldest first. */
  private readonly unsettled = new Set<Delivery>();
  /** The delivery of each unsettled entry, by the tag of the entry. */
  private readonly entries = new Map<number, Delivery>();
  private readonly held: ReceivedMessage[] = [];
  private lastTag: number;

  /** @param after the last tag of the deliveries before, whose entries must stay unknown here */
  constructor(
    private readonly most: number,
    after?: UnsettledDeliveries,
  ) {
    this.lastTag = after?.lastTag ?? 0;
  }

  begin({ deliveryTag, redelivered }: { deliveryTag: number; redelivered: boolean }): Delivery {
    const delivery: Delivery = { tag: deliveryTag, redelivered, open: 0, ending: 'ack' };
    this.unsettled.add(delivery);
    return delivery;
  }

  hold(delivery: Delivery, entries: readonly Message[], doubt: Doubt | undefined): void {
    if (!this.unsettled.has(delivery)) return; // of a channel that was lost meanwhile
    delivery.open = entries.length;
    for (const entry of entries) {
      const tag = ++this.lastTag;
      this.entries.set(tag, delivery);
      this.held.push({ ...entry, doubt, tag, redelivered: delivery.redelivered });
    }
  }

  /** Returns the next entry that the worker may have; undefined if there is none, or it has `most`. */
  next(): ReceivedMessage | undefined {
    return this.entries.size - this.held.length < this.most ? this.held.shift() : undefined;
  }

  takeHeld(): ReceivedMessage[] {
    return this.held.splice(0);
  }

  /** Entries that are unknown are settled already, or are of a lost channel, and so in the queue. */
  settle(messages: readonly ReceivedMessage[], ending: Ending): Ended {
    const ended: Record<Ending, Set<Delivery>> = { ack: new Set(), park: new Set(), requeue: new Set() };
    for (const { tag } of messages) {
      const delivery = this.entries.get(tag);
      if (!delivery) continue;
      this.entries.delete(tag);
      if (ENDINGS.indexOf(ending) > ENDINGS.indexOf(delivery.ending)) delivery.ending = ending;
      delivery.open -= 1;
      if (delivery.open === 0) ended[delivery.ending].add(delivery);
    }
    const ackUpTo = this.oldestOf(ended.ack);
    const tags = (deliveries: Set<Delivery>): number[] => [...deliveries].map((delivery) => this.remove(delivery));
    return { ackUpTo, ack: tags(ended.ack), park: tags(ended.park), requeue: tags(ended.requeue) };
  }

  /** Removes the longest run of oldest deliveries that are in `deliveries`, and returns the last tag of it. */
  private oldestOf(deliveries: Set<Delivery>): number | undefined {
    let upTo: number | undefined;
    if (deliveries.size === 0) return upTo;
    for (const delivery of this.unsettled) {
      if (!deliveries.delete(delivery)) break;
      upTo = this.remove(delivery);
    }
    return upTo;
  }

  private remove(delivery: Delivery): number {
    this.unsettled.delete(delivery);
    return delivery.tag;
  }
}
