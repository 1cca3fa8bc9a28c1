import type { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import { Logger } from '@nestjs/common';
import type { Channel, ChannelModel } from 'amqplib';
import { BrokerMisconfigured } from './broker';
import { withinDeadline } from '../runtime/deadline';

const REOPEN_AFTER_MS = 500;
/** Longer, because only an operator can fix a misconfiguration. */
const MISCONFIGURED_REOPEN_AFTER_MS = 3_000;
const CLOSE_TIMEOUT_MS = 1_000;

export interface ChannelSetup<C extends Channel> {
  /** Names the channel in log lines. */
  name: string;
  /** Opens a bare channel on a fresh connection. */
  create: (connection: ChannelModel) => Promise<C>;
  /** Declares queues, starts consuming and so on. The channel is usable once this resolves. */
  prepare: (channel: C, connection: ChannelModel) => Promise<void>;
  /** Called when a usable channel is lost, before it is opened again; with the error if the broker closed it. */
  onLost: (error: ChannelError | undefined) => void;
  /** How long to wait before a lost channel is opened again, in ms. */
  reopenAfterMs?: number;
}

/** Why the broker closed a channel: its reply code and the method that caused it. */
export interface ChannelError extends Error {
  code?: number;
  classId?: number;
  methodId?: number;
}

/**
 * One channel on a managed connection. It is opened again whenever the connection returns or only the channel breaks.
 * (The connection manager has its own channel wrapper. That one queues messages without bound while disconnected, and
 * does not recover when only the channel was closed.)
 */
export class RabbitChannel<C extends Channel> {
  private readonly logger: Logger;
  private channel: C | undefined;
  private opening = false;
  /** Calls of `leave`. A channel that is being set up meanwhile is not used. */
  private leaves = 0;
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

  /** The usable channel; undefined while there is none. */
  get current(): C | undefined {
    return this.channel;
  }

  /** The misconfiguration that keeps the channel from opening, until an operator fixes it. */
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

  /** Closes the channel, also one that is being set up, and opens another one if the setup allows it. */
  leave(): void {
    this.leaves += 1;
    if (this.channel) this.discard(this.channel);
  }

  /** Replaces a channel that is still open but out of step with the broker. */
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
    const { leaves } = this;
    const requireWanted = (): void => {
      if (this.leaves !== leaves) throw new Error('it has to be left already, while it is being set up');
    };
    const channel = await this.setup.create(connection);
    let cause: ChannelError | undefined;
    // Without a listener, an 'error' event would end the process.
    channel.on('error', (error: ChannelError) => {
      cause = error;
      if (this.channel === channel) this.warn(`channel lost, opening it again: ${error.message}`);
    });
    let gone = false;
    // This has to run before amqplib's own listener, which fails every open confirm as if the broker had refused it.
    channel.prependOnceListener('close', () => {
      gone = true;
      this.lost(channel, cause);
    });
    try {
      requireWanted();
      await this.setup.prepare(channel, connection);
      requireWanted();
    } catch (error) {
      if (!gone) await this.closeQuietly(channel); // the next attempt opens another one
      throw error;
    }
    if (gone) throw new Error('the channel closed while it was being set up');
    if (this.closed) return this.closeQuietly(channel);
    this.channel = channel;
    this.warned = false;
    this.lastFault = undefined;
  }

  private openingFailed(error: Error): void {
    if (!(error instanceof BrokerMisconfigured)) {
      this.warn(`cannot open the channel, retrying: ${error.message}`);
      this.openLater(REOPEN_AFTER_MS);
      return;
    }
    if (this.lastFault?.message !== error.message) this.logger.error(error.message);
    this.lastFault = error;
    this.openLater(MISCONFIGURED_REOPEN_AFTER_MS);
  }

  /** Logs the first failure of an outage as a warning and the others at debug. */
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
      this.logger.debug(`could not close the channel: ${String(error)}`);
    }
  }
}
