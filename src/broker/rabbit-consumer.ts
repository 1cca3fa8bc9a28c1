import type { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import { Logger } from '@nestjs/common';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { BrokerMisconfigured, Consumer, Doubt, ReceivedMessage, QueueName } from './broker';
import { RabbitChannel } from './rabbit-channel';
import type { Installation } from '../integrity/installation';
import type { Mac } from '../integrity/mac';
import type { MacKeys } from '../integrity/mac-keys';
import { requireOwner } from './installation-marker';
import { doubtAbout } from './message-signature';
import { fromAmqpHeaders, headerText } from './rabbit-headers';
import type { RabbitNames } from './rabbit-names';
import { assertTopology } from './rabbit-topology';
import { withinDeadline } from '../runtime/deadline';

const CANCEL_TIMEOUT_MS = 1_000;

export interface ConsumerOptions {
  prefetch: number;
  names: RabbitNames;
  installation: Installation;
}

/** A message with its channel: on a later channel the same tag means another message or none. */
interface RabbitMessage extends ReceivedMessage {
  channel: Channel;
}

/** Consumes one queue on its own channel, and starts again after every reconnect. */
export class RabbitConsumer implements Consumer {
  private readonly logger = new Logger('RabbitMQ consumer');
  private readonly channel: RabbitChannel<Channel>;
  /** The channel that messages arrive on. Set early, because they arrive while the channel is still being set up. */
  private source: Channel | undefined;
  /** Tags on `source` that are neither acked nor requeued, oldest first. */
  private unsettled = new Set<number>();
  private consumerTag = '';
  private active = true;

  constructor(
    connection: AmqpConnection,
    private readonly queue: QueueName,
    { prefetch, names, installation }: ConsumerOptions,
    private readonly keys: MacKeys,
    private readonly onMessage: (message: ReceivedMessage) => void,
  ) {
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
        this.unsettled = new Set();
        await assertTopology(channel, { connection, deadLetterCopies: false, names, owner }); // it consumes no copies
        await channel.prefetch(prefetch);
        if (!this.active) return;
        const { consumerTag } = await channel.consume(names.queue(queue), (message) => this.receive(channel, message));
        this.consumerTag = consumerTag;
        if (!this.active) await channel.cancel(consumerTag);
      },
      onLost: () => this.unsettled.clear(),
    });
  }

  /** True while it should consume but has no channel. */
  get interrupted(): boolean {
    return this.active && this.channel.current === undefined;
  }

  /** The misconfiguration that keeps it from consuming, until an operator fixes it. */
  get fault(): BrokerMisconfigured | undefined {
    return this.channel.fault;
  }

  /** Sends one multiple-ack for the longest run of oldest messages and single acks for the rest. */
  ack(messages: readonly ReceivedMessage[]): void {
    this.onChannel(messages, (channel, tags) => {
      let upTo: number | undefined;
      for (const tag of this.unsettled) {
        if (!tags.delete(tag)) break;
        this.unsettled.delete(tag);
        upTo = tag;
      }
      if (upTo !== undefined) channel.ack(withTag(upTo), true);
      for (const tag of tags) {
        this.unsettled.delete(tag);
        channel.ack(withTag(tag));
      }
    });
  }

  requeue(messages: readonly ReceivedMessage[]): void {
    this.giveBack(messages, true);
  }

  /** The broker moves a rejected message through the dead-letter exchange of its queue. */
  park(messages: readonly ReceivedMessage[]): void {
    this.giveBack(messages, false);
  }

  private giveBack(messages: readonly ReceivedMessage[], requeue: boolean): void {
    this.onChannel(messages, (channel, tags) => {
      for (const tag of tags) {
        this.unsettled.delete(tag);
        channel.nack(withTag(tag), false, requeue);
      }
    });
  }

  async cancel(): Promise<void> {
    this.active = false;
    const channel = this.channel.current;
    if (!channel) return;
    try {
      await withinDeadline(CANCEL_TIMEOUT_MS, channel.cancel(this.consumerTag));
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
    if (message === null) {
      this.logger.warn(`queue ${this.queue} was deleted; declaring it again`);
      channel.close().catch((error: Error) => this.logger.debug(error.message));
      return;
    }
    const tag = message.fields.deliveryTag;
    if (!this.active) {
      channel.nack(message, false, true);
      return;
    }
    this.unsettled.add(tag);
    const { queue } = this;
    const id = String(message.properties.messageId);
    const body = message.content;
    const headers = headerText(message.properties.headers);
    const doubtWith = (mac: Mac | undefined): Doubt | undefined => doubtAbout(headers, { queue, id, body }, mac);
    const received: RabbitMessage = {
      id,
      headers: fromAmqpHeaders(message.properties.headers),
      body,
      doubt: doubtWith(this.keys.current()),
      tag,
      channel,
      redelivered: message.fields.redelivered,
    };
    if (received.doubt === 'forged') void this.checkAgain(received, doubtWith);
    else this.onMessage(received);
  }

  /** The message may be signed with a key that another process has stored since the keys were read. */
  private async checkAgain(
    message: RabbitMessage,
    doubtWith: (mac: Mac | undefined) => Doubt | undefined,
  ): Promise<void> {
    let doubt: Doubt | undefined = 'unsigned'; // without the keys of now, the worker looks the event up
    try {
      doubt = doubtWith(await this.keys.reload());
    } catch (error) {
      this.logger.debug(`could not read the installation key: ${String(error)}`);
    }
    if (this.active) this.onMessage({ ...message, doubt });
    else this.requeue([message]);
  }

  /** Passes the tags that are unsettled on the current channel. Messages of a lost channel are back in the queue. */
  private onChannel(messages: readonly ReceivedMessage[], act: (channel: Channel, tags: Set<number>) => void): void {
    const channel = this.source;
    if (!channel) return;
    const ours = messages.filter((message) => (message as RabbitMessage).channel === channel);
    const tags = new Set(ours.map(({ tag }) => tag).filter((tag) => this.unsettled.has(tag)));
    if (tags.size === 0) return;
    try {
      act(channel, tags);
    } catch (error) {
      this.logger.debug(`could not ack or requeue: ${String(error)}`); // the broker redelivers the messages
    }
  }
}

/** amqplib expects a whole message where the protocol needs only its tag. */
function withTag(deliveryTag: number): ConsumeMessage {
  return { fields: { deliveryTag } } as ConsumeMessage;
}
