import type { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import { Logger } from '@nestjs/common';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { QUEUES, type BrokerMisconfigured, type Consumer, type Doubt, type Message } from './broker';
import type { ReceivedMessage, QueueName } from './broker';
import { RabbitChannel } from './rabbit-channel';
import type { Installation } from '../integrity/installation';
import type { Mac } from '../integrity/mac';
import type { MacKeys } from '../integrity/mac-keys';
import { entriesOfBundle, MOST_IN_BUNDLE } from './bundle-form';
import { requireOwner } from './installation-marker';
import { doubtAbout, doubtAboutBundle } from './message-signature';
import { fromAmqpHeaders, headerText } from './rabbit-headers';
import { UnsettledDeliveries, type Delivery, type Ending } from './rabbit-deliveries';
import { BUNDLES, type RabbitNames } from './rabbit-names';
import { assertTopology } from './rabbit-topology';
import { withinDeadline } from '../runtime/deadline';

const CANCEL_TIMEOUT_MS = 1_000;

export interface ConsumerOptions {
  prefetch: number;
  takesBundles: boolean;
  names: RabbitNames;
  installation: Installation;
}

/**
 * Consumes one queue on its own channel, and starts again after every reconnect. A bundle arrives as its entries, and is
 * acked or returned when the last of them is settled. What arrives beyond `prefetch` entries waits here.
 */
export class RabbitConsumer implements Consumer {
  private readonly logger = new Logger('RabbitMQ consumer');
  private readonly channel: RabbitChannel<Channel>;
  /** The channel that messages arrive on. Set early, because they arrive while the channel is still being set up. */
  private source: Channel | undefined;
  private deliveries: UnsettledDeliveries;
  private offering = false;
  private consumerTags: string[] = [];
  private active = true;

  constructor(
    connection: AmqpConnection,
    private readonly queue: QueueName,
    private readonly options: ConsumerOptions,
    private readonly keys: MacKeys,
    private readonly onMessage: (message: ReceivedMessage) => void,
  ) {
    const { prefetch, takesBundles, names, installation } = options;
    this.deliveries = new UnsettledDeliveries(prefetch);
    let owner: string | undefined;
    this.channel = new RabbitChannel(connection, {
      name: queue,
      create: async (model: ChannelModel) => {
        owner = await requireOwner(installation);
        await keys.load(); // without the key, each message would have to be looked up
        return model.createChannel();
      },
      prepare: async (channel, connection) => {
        this.source = channel;
        this.forgetAll();
        this.consumerTags = [];
        await assertTopology(channel, { connection, deadLetterCopies: false, names, owner }); // it consumes no copies
        await this.consume(channel, names.queue(queue), prefetch, (message) => this.receive(channel, message));
        if (queue !== QUEUES.main || !takesBundles) return;
        const bundles = Math.ceil(prefetch / MOST_IN_BUNDLE) + 1; // one waits here while the others are settled
        await this.consume(channel, names.bundles, bundles, (message) => this.receiveBundle(channel, message));
      },
      onLost: () => this.forgetAll(),
    });
  }

  /** RabbitMQ applies a prefetch to the consumers that start after it. */
  private async consume(
    channel: Channel,
    queue: string,
    prefetch: number,
    receive: (message: ConsumeMessage | null) => void,
  ): Promise<void> {
    if (!this.active) return;
    await channel.prefetch(prefetch);
    if (!this.active) return;
    const { consumerTag } = await channel.consume(queue, receive);
    this.consumerTags.push(consumerTag);
    if (!this.active) await channel.cancel(consumerTag);
  }

  private forgetAll(): void {
    this.deliveries = new UnsettledDeliveries(this.options.prefetch, this.deliveries);
  }

  /** True while it should consume but has no channel. */
  get interrupted(): boolean {
    return this.active && this.channel.current === undefined;
  }

  /** The misconfiguration that keeps it from consuming, until an operator fixes it. */
  get fault(): BrokerMisconfigured | undefined {
    return this.channel.fault;
  }

  ack(messages: readonly ReceivedMessage[]): void {
    this.settle(messages, 'ack');
  }

  requeue(messages: readonly ReceivedMessage[]): void {
    this.settle(messages, 'requeue');
  }

  /** The broker moves a rejected message through the dead-letter exchange of its queue. */
  park(messages: readonly ReceivedMessage[]): void {
    this.settle(messages, 'park');
  }

  private settle(messages: readonly ReceivedMessage[], ending: Ending): void {
    const { ackUpTo, ack, park, requeue } = this.deliveries.settle(messages, ending);
    const channel = this.source;
    if (!channel) return;
    try {
      if (ackUpTo !== undefined) channel.ack(withTag(ackUpTo), true);
      for (const tag of ack) {
        channel.ack(withTag(tag));
      }
      for (const tag of park) channel.nack(withTag(tag), false, false);
      for (const tag of requeue) channel.nack(withTag(tag), false, true);
    } catch (error) {
      this.logger.debug(`could not ack or requeue: ${String(error)}`); // the broker redelivers the messages
    }
    this.offer();
  }

  async cancel(): Promise<void> {
    this.active = false;
    this.requeue(this.deliveries.takeHeld());
    const channel = this.channel.current;
    if (!channel) return;
    try {
      const cancelled = this.consumerTags.map((consumerTag) => channel.cancel(consumerTag));
      await withinDeadline(CANCEL_TIMEOUT_MS, Promise.all(cancelled));
    } catch (error) {
      this.logger.debug(`could not cancel the consumer: ${String(error)}`); // a lost channel brings no messages
    }
  }

  /** The installation may not act: what is unsettled returns to the queue, and nothing arrives until it may. */
  leave(): void {
    this.channel.leave();
  }

  async close(): Promise<void> {
    this.active = false;
    await this.channel.close();
  }

  private receive(channel: Channel, message: ConsumeMessage | null): void {
    const delivery = this.take(channel, message, this.queue);
    if (!message || !delivery) return;
    const entry = entryOf(message);
    const headers = headerText(message.properties.headers);
    const doubtWith = (mac: Mac | undefined): Doubt | undefined =>
      doubtAbout(headers, { ...entry, queue: this.queue }, mac);
    const doubt = doubtWith(this.keys.current());
    if (doubt === 'forged') void this.checkAgain(doubtWith, (found) => this.arrived([entry], delivery, found));
    else this.arrived([entry], delivery, doubt);
  }

  private receiveBundle(channel: Channel, message: ConsumeMessage | null): void {
    const delivery = this.take(channel, message, BUNDLES);
    if (!message || !delivery) return;
    const bundle = entryOf(message);
    const headers = headerText(message.properties.headers);
    const doubtWith = (mac: Mac | undefined): Doubt | undefined =>
      doubtAboutBundle(headers, { ...bundle, queue: BUNDLES }, mac);
    const arrived = (doubt: Doubt | undefined): void => {
      // A bundle that cannot be trusted or read is dropped or parked by the worker, as a message of its own.
      const entries = doubt === 'forged' ? undefined : entriesOfBundle(bundle.body, bundle.headers.entries);
      this.arrived(entries ?? [bundle], delivery, doubt);
    };
    const doubt = doubtWith(this.keys.current());
    if (doubt === 'forged') void this.checkAgain(doubtWith, arrived);
    else arrived(doubt);
  }

  /** Returns undefined if there is no message, or the consumer has stopped. */
  private take(channel: Channel, message: ConsumeMessage | null, queue: string): Delivery | undefined {
    if (message === null) {
      this.logger.warn(`queue ${queue} was deleted; declaring it again`);
      channel.close().catch((error: Error) => this.logger.debug(error.message));
      return undefined;
    }
    if (!this.active) {
      channel.nack(message, false, true);
      return undefined;
    }
    return this.deliveries.begin(message.fields);
  }

  private arrived(entries: readonly Message[], delivery: Delivery, doubt: Doubt | undefined): void {
    this.deliveries.hold(delivery, entries, doubt);
    if (this.active) this.offer();
    else this.requeue(this.deliveries.takeHeld());
  }

  /** Passes on what is held, up to the prefetch. A call within `onMessage` is left to the one around it. */
  private offer(): void {
    if (this.offering) return;
    this.offering = true;
    try {
      for (let message; this.active && (message = this.deliveries.next());) this.onMessage(message);
    } finally {
      this.offering = false;
    }
  }

  /** The message may be signed with a key that another process has stored since the keys were read. */
  private async checkAgain(
    doubtWith: (mac: Mac | undefined) => Doubt | undefined,
    arrived: (doubt: Doubt | undefined) => void,
  ): Promise<void> {
    let doubt: Doubt | undefined = 'unsigned'; // without the keys of now, the worker looks the event up
    try {
      doubt = doubtWith(await this.keys.reload());
    } catch (error) {
      this.logger.debug(`could not read the installation key: ${String(error)}`);
    }
    arrived(doubt);
  }
}

const entryOf = ({ properties, content }: ConsumeMessage): Message => ({
  id: String(properties.messageId),
  headers: fromAmqpHeaders(properties.headers),
  body: content,
});

/** amqplib expects a whole message where the protocol needs only its tag. */
function withTag(deliveryTag: number): ConsumeMessage {
  return { fields: { deliveryTag } } as ConsumeMessage;
}
