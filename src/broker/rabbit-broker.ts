import { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import { Logger } from '@nestjs/common';
import type { Socket } from 'node:net';
import {
  Broker,
  type Consumer,
  type ReceivedMessage,
  type OutgoingMessage,
  type PublishOutcome,
  type QueueBacklog,
  type QueueName,
} from './broker';
import { credentialsOf } from './amqp-credentials';
import { ifConfirmed } from './confirmed-publishing';
import { NoInstallation, type Installation } from '../integrity/installation';
import { NoMacKeys, type MacKeys } from '../integrity/mac-keys';
import { RabbitConsumer } from './rabbit-consumer';
import { namesIn, type RabbitNames } from './rabbit-names';
import { RabbitPublisher } from './rabbit-publisher';
import { withinDeadline } from '../runtime/deadline';

export interface RabbitRoles {
  publishes: boolean;
  consumes: boolean;
  /** Whether references to dead letters are published to `events.dlq`. Default: false. */
  deadLetterCopies?: boolean;
  /** BUNDLE_MAX_EVENTS. Default: 1, no bundles. */
  bundleMaxEvents?: number;
  /** BROKER_NAMESPACE. Default: none. */
  namespace?: string;
}

const CLOSE_TIMEOUT_MS = 1_500;
const KEEP_ALIVE_MS = 10_000;
/** After two intervals without a byte from the broker, a connection is replaced. The broker does likewise. */
const HEARTBEAT_SECONDS = 10;
/** Without it, connecting would hang for ever when the broker accepts the connection and then stays silent. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * RabbitMQ adapter. Publishing and consuming have separate connections: a broker that runs short of memory blocks the
 * publishing one, while acks must still get through. golevelup keeps the connections up; RabbitChannel opens the
 * channels.
 */
export class RabbitBroker extends Broker {
  override readonly forgetsOnRestart = false;
  private readonly logger = new Logger('RabbitMQ');
  private readonly connections: AmqpConnection[] = [];
  private readonly consumers: RabbitConsumer[] = [];
  private publisher: RabbitPublisher | undefined;
  private consuming: AmqpConnection | undefined;

  private constructor(
    private readonly keys: MacKeys,
    private readonly names: RabbitNames,
    private readonly installation: Installation,
  ) {
    super();
    installation.onMoved(() => {
      this.publisher?.leave();
      for (const consumer of this.consumers) consumer.leave();
    });
  }

  /** Connects in the background. Until that succeeds, canPublish returns false and consumers receive nothing. */
  static async connect(
    url: string,
    roles: RabbitRoles,
    keys: MacKeys = new NoMacKeys(),
    installation: Installation = new NoInstallation(),
  ): Promise<RabbitBroker> {
    const { deadLetterCopies = false, bundleMaxEvents = 1, namespace = '' } = roles;
    const names = namesIn(namespace);
    const broker = new RabbitBroker(keys, names, installation);
    if (roles.publishes) {
      const connection = await broker.openConnection(url, 'publisher');
      broker.publisher = new RabbitPublisher(connection, keys, {
        names,
        installation,
        deadLetterCopies,
        bundleMaxEvents,
      });
    }
    if (roles.consumes) broker.consuming = await broker.openConnection(url, 'worker');
    return broker;
  }

  canPublish(): boolean {
    return this.publisher?.canPublish() ?? false;
  }

  publish(messages: readonly OutgoingMessage[], timeoutMs: number): Promise<PublishOutcome[]> {
    const publisher = this.asPublisher();
    return ifConfirmed(this.installation, messages, timeoutMs, (restMs) => publisher.publish(messages, restMs));
  }

  consume(
    queue: QueueName,
    prefetch: number,
    onMessage: (message: ReceivedMessage) => void,
    takesBundles = true,
  ): Consumer {
    if (!this.consuming) throw new Error('RabbitBroker.connect was called without `consumes`');
    const options = { prefetch, takesBundles, names: this.names, installation: this.installation };
    const consumer = new RabbitConsumer(this.consuming, queue, options, this.keys, onMessage);
    this.consumers.push(consumer);
    return consumer;
  }

  backlog(queue: QueueName): Promise<QueueBacklog> {
    return this.asPublisher().backlog(queue);
  }

  ping(): Promise<void> {
    const lost = this.connections.filter((connection) => !connection.connected);
    if (lost.length > 0) return Promise.reject(new Error('not connected to RabbitMQ'));
    const fault = this.publisher?.fault ?? this.consumers.map((consumer) => consumer.fault).find(Boolean);
    if (fault) return Promise.reject(fault);
    if (this.publisher && !this.publisher.canPublish())
      return Promise.reject(new Error('RabbitMQ blocks publishing, or the channel is not open'));
    if (this.consumers.some((consumer) => consumer.interrupted))
      return Promise.reject(new Error('a consumer has no open channel'));
    return Promise.resolve();
  }

  async close(): Promise<void> {
    await Promise.all([this.publisher?.close(), ...this.consumers.map((consumer) => consumer.close())]);
    await Promise.all(this.connections.map((connection) => this.closeConnection(connection)));
  }

  private async closeConnection(connection: AmqpConnection): Promise<void> {
    try {
      await withinDeadline(CLOSE_TIMEOUT_MS, connection.close());
    } catch (error) {
      this.logger.debug(`could not close the connection, destroying its socket: ${String(error)}`);
      // A frozen broker never answers the close, so the socket has to be destroyed. The manager must be closed first,
      // or it would reconnect. (While it is still connecting there is no socket; that attempt is its last.)
      const { managedConnection } = connection;
      managedConnection.close().catch((late: Error) => this.logger.debug(late.message));
      const model = managedConnection.connection as { connection: { stream: Socket } } | undefined;
      model?.connection.stream.destroy(new Error('closed by StreamForge'));
    }
  }

  private asPublisher(): RabbitPublisher {
    if (!this.publisher) throw new Error('RabbitBroker.connect was called without `publishes`');
    return this.publisher;
  }

  private async openConnection(url: string, name: string): Promise<AmqpConnection> {
    const connection = new AmqpConnection({
      name,
      uri: url,
      logger: this.logger,
      connectionInitOptions: { wait: false, skipDisconnectFailedLogging: true, skipConnectionFailedLogging: true },
      connectionManagerOptions: {
        heartbeatIntervalInSeconds: HEARTBEAT_SECONDS,
        reconnectTimeInSeconds: 1,
        connectionOptions: {
          timeout: CONNECT_TIMEOUT_MS,
          keepAlive: true,
          keepAliveDelay: KEEP_ALIVE_MS,
          ...credentialsOf(url),
          clientProperties: { connection_name: `streamforge ${name}` },
        },
      },
    });
    await connection.init();
    let down = false;
    connection.managedConnection.on('connect', () => (down = false));
    const report = ({ err }: { err?: unknown }): void => {
      // Only the first failure of an outage is logged.
      if (!down) this.logger.warn(`${name}: not connected, retrying: ${err instanceof Error ? err.message : 'closed'}`);
      down = true;
    };
    connection.managedConnection.on('disconnect', report);
    connection.managedConnection.on('connectFailed', report);
    this.connections.push(connection);
    return connection;
  }
}
