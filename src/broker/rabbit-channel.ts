import type { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import { Logger } from '@nestjs/common';
import type { Channel, ChannelModel } from 'amqplib';

const REOPEN_AFTER_MS = 500;

export interface ChannelSetup<C extends Channel> {
  /** For log lines. */
  name: string;
  /** Makes a bare channel on a fresh connection. */
  create: (connection: ChannelModel) => Promise<C>;
  /** Declares, consumes, ...; the channel is usable once this resolves. */
  prepare: (channel: C) => Promise<void>;
  /** Called when a usable channel is gone, before it is opened again. */
  onLost: () => void;
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
  private timer: NodeJS.Timeout | undefined;

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

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    this.connection.managedConnection.off('connect', this.open);
    const { channel } = this;
    this.channel = undefined;
    if (channel) await this.closeQuietly(channel);
  }

  private readonly open = (): void => {
    clearTimeout(this.timer);
    const connection = this.connection.managedConnection.connection;
    if (this.closed || this.channel || this.opening || !connection) return;
    this.opening = true;
    this.openOn(connection)
      .catch((error: Error) => {
        this.logger.warn(`cannot open the channel: ${error.message}`);
        this.openLater();
      })
      .finally(() => (this.opening = false));
  };

  private async openOn(connection: ChannelModel): Promise<void> {
    const channel = await this.setup.create(connection);
    // Without a listener, a channel that breaks would end the process.
    channel.on('error', (error: Error) => this.logger.warn(`the channel broke: ${error.message}`));
    channel.once('close', () => this.lost(channel));
    await this.setup.prepare(channel);
    if (this.closed) await this.closeQuietly(channel);
    else this.channel = channel;
  }

  private lost(channel: C): void {
    if (this.channel !== channel) return;
    this.channel = undefined;
    this.setup.onLost();
    this.openLater();
  }

  private openLater(): void {
    if (!this.closed) this.timer = setTimeout(this.open, REOPEN_AFTER_MS);
  }

  private async closeQuietly(channel: C): Promise<void> {
    try {
      await channel.close();
    } catch (error) {
      this.logger.debug(`already closed: ${String(error)}`);
    }
  }
}
