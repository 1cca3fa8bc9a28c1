import type { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import { Logger } from '@nestjs/common';
import type { Channel, ChannelModel } from 'amqplib';
import { BrokerMisconfigured } from './broker';
import { withinDeadline } from '../runtime/deadline';

const REOPEN_AFTER_MS = 500;
/** Only a person can put it right. */
const MISCONFIGURED_REOPEN_AFTER_MS = 3_000;
const CLOSE_TIMEOUT_MS = 1_000;

export interface ChannelSetup<C extends Channel> {
  /** For log lines. */
  name: string;
  /** Makes a bare channel on a fresh connection. */
  create: (connection: ChannelModel) => Promise<C>;
  /** Declares, consumes, ...; the channel is usable once this resolves. */
  prepare: (channel: C) => Promise<void>;
  /** Called when a usable channel is gone, before it is opened again. With the error if the broker closed it. */
  onLost: (error: ChannelError | undefined) => void;
  /** How long to wait before a usable channel that broke is opened again. */
  reopenAfterMs?: number;
}

/** Why the broker closed a channel: its reply code, and the method that it was about. */
export interface ChannelError extends Error {
  code?: number;
  classId?: number;
  methodId?: number;
}

/**
 * One channel of our own on a managed connection, opened again whenever the connection returns or the channel alone
 * breaks. (The connection manager's own wrapper queues messages without bound while disconnected, and does not come
 * back when only the channel was closed.)
 */
export class RabbitChannel<C extends Channel> {
  private readonly logger: Logger;
  private channel: C | undefined;
  private opening = false;
  private closed = false;
  private warned = false;
  private timer: NodeJS.Timeout | undefined;
  private lastFault: BrokerMisconfigured | undefined;

  constructor(
    private readonly connection: AmqpConnection,
    private readonly setup: ChannelSetup<C>,
  ) {
    this.logger = new Logger(`RabbitMQ ${setup.name}`);
    connection.managedConnection.on('connect', this.open);
    this.open();
  }

  /** The usable channel, or undefined while there is none. */
  get current(): C | undefined {
    return this.channel;
  }

  /** What keeps it from being opened until somebody puts it right. */
  get fault(): BrokerMisconfigured | undefined {
    return this.lastFault;
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    this.connection.managedConnection.off('connect', this.open);
    const { channel } = this;
    this.channel = undefined;
    if (channel) await this.closeQuietly(channel);
  }

  /** Gives up a channel that still stands but can no longer be relied on. */
  discard(channel: C): void {
    this.lost(channel);
    void this.closeQuietly(channel);
  }

  private readonly open = (): void => {
    clearTimeout(this.timer);
    const connection = this.connection.managedConnection.connection;
    if (this.closed || this.channel || this.opening || !connection) return;
    this.opening = true;
    this.openOn(connection)
      .catch((error: Error) => this.openingFailed(error))
      .finally(() => (this.opening = false));
  };

  private async openOn(connection: ChannelModel): Promise<void> {
    const channel = await this.setup.create(connection);
    let cause: ChannelError | undefined;
    // Without a listener, a channel that breaks would end the process.
    channel.on('error', (error: ChannelError) => {
      cause = error;
      if (this.channel === channel) this.warn(`the channel broke: ${error.message}`);
    });
    let gone = false;
    // Before amqplib's own listener, which fails every open confirm as if the broker had refused the message.
    channel.prependOnceListener('close', () => {
      gone = true;
      this.lost(channel, cause);
    });
    await this.setup.prepare(channel);
    if (gone) throw new Error('it closed while it was prepared');
    if (this.closed) return this.closeQuietly(channel);
    this.channel = channel;
    this.warned = false;
    this.lastFault = undefined;
  }

  private openingFailed(error: Error): void {
    if (!(error instanceof BrokerMisconfigured)) {
      this.warn(`cannot open the channel: ${error.message}`);
      this.openLater(REOPEN_AFTER_MS);
      return;
    }
    if (this.lastFault?.message !== error.message) this.logger.error(error.message);
    this.lastFault = error;
    this.openLater(MISCONFIGURED_REOPEN_AFTER_MS);
  }

  /** One line for each time it goes away, not one for each attempt. */
  private warn(text: string): void {
    if (this.warned || this.closed) this.logger.debug(text);
    else this.logger.warn(text);
    this.warned = true;
  }

  private lost(channel: C, cause?: ChannelError): void {
    if (this.channel !== channel) return;
    this.channel = undefined;
    this.setup.onLost(cause);
    this.openLater(this.setup.reopenAfterMs ?? REOPEN_AFTER_MS);
  }

  private openLater(ms: number): void {
    if (!this.closed) this.timer = setTimeout(this.open, ms);
  }

  private async closeQuietly(channel: C): Promise<void> {
    try {
      await withinDeadline(CLOSE_TIMEOUT_MS, channel.close());
    } catch (error) {
      this.logger.debug(`not closed by us: ${String(error)}`);
    }
  }
}
