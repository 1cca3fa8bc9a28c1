import { randomUUID } from 'node:crypto';
import {
  QUEUES,
  type Broker,
  type Consumer,
  type ReceivedMessage,
  type OutgoingMessage,
  type PublishOutcome,
  type QueueName,
} from '../../../src/broker/broker';
import { eventually } from '../eventually';
import { atTheEnd } from './closing';

/** Longer than any test broker needs: a publish that takes this long has lost a confirm. */
export const AMPLE_MS = 10_000;

export function message(fields: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return { queue: QUEUES.main, id: randomUUID(), headers: {}, body: Buffer.from('{}'), ...fields };
}

export function messages(count: number, fields: Partial<OutgoingMessage> = {}): OutgoingMessage[] {
  return Array.from({ length: count }, () => message(fields));
}

export const idsOf = (of: readonly { id: string }[]): string[] => of.map(({ id }) => id);

export const unconfirmed = (count: number): PublishOutcome[] => Array.from({ length: count }, () => 'unconfirmed');

export async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** A consumer that records the messages it receives. */
export class Listener {
  readonly received: ReceivedMessage[] = [];
  readonly consumer: Consumer;

  constructor(
    broker: Broker,
    {
      queue = QUEUES.main,
      prefetch = 100,
      acks = false,
    }: { queue?: QueueName; prefetch?: number; acks?: boolean } = {},
    onMessage: (message: ReceivedMessage) => void = () => undefined,
    takesBundles = true,
  ) {
    const receive = (message: ReceivedMessage): void => {
      this.received.push(message);
      if (acks) this.consumer.ack([message]);
      onMessage(message);
    };
    this.consumer = broker.consume(queue, prefetch, receive, takesBundles);
    atTheEnd(() => this.consumer.close());
  }

  get ids(): string[] {
    return this.received.map(({ id }) => id);
  }

  /** Waits for `count` messages and returns them. */
  async receives(count: number): Promise<ReceivedMessage[]> {
    await eventually(() => expect(this.received.length).toBeGreaterThanOrEqual(count));
    return this.received.slice(0, count);
  }

  /** Waits until exactly these have arrived, in any order. Redeliveries count. */
  async receivesExactly(ids: readonly string[]): Promise<void> {
    await eventually(() => expectSame(this.ids, ids));
  }
}

/** Publishes and expects a confirm for every message. */
export async function publishAll(broker: Broker, toSend: readonly OutgoingMessage[]): Promise<void> {
  expect(await broker.publish(toSend, AMPLE_MS)).toEqual(toSend.map(() => 'confirmed'));
}

/** Expects the same ids in any order; duplicates count. The failure message stays short for thousands of ids. */
export function expectSame(ids: readonly string[], expected: readonly string[]): void {
  const without = (all: readonly string[], known: Set<string>) => all.filter((id) => !known.has(id)).slice(0, 5);
  const missing = without(expected, new Set(ids));
  const unexpected = without(ids, new Set(expected));
  expect({ count: ids.length, missing, unexpected }).toEqual({ count: expected.length, missing: [], unexpected: [] });
}
