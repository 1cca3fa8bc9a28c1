import { connect, type Channel } from 'amqplib';
import { RabbitBroker, type RabbitRoles } from '../../../src/broker/rabbit-broker';
import { eventually } from '../eventually';
import { createTestVhost, type TestVhost } from './rabbit';
import { atTheEnd } from './closing';

export const BOTH: RabbitRoles = { publishes: true, consumes: true, deadLetterCopies: true };
export const PUBLISHER: RabbitRoles = { publishes: true, consumes: false, deadLetterCopies: true };

/** Creates a virtual host that is dropped at the end of the test. */
export async function openVhost(): Promise<TestVhost> {
  const vhost = await createTestVhost();
  atTheEnd(() => vhost.drop());
  return vhost;
}

/** Creates a broker that is closed at the end of the test. It may not be connected yet. */
export async function startRabbitBroker(url: string, roles = BOTH): Promise<RabbitBroker> {
  const broker = await RabbitBroker.connect(url, roles);
  atTheEnd(() => broker.close());
  return broker;
}

/** Creates a broker and waits until it can publish. */
export async function openRabbitBroker(url: string, roles = BOTH): Promise<RabbitBroker> {
  const broker = await startRabbitBroker(url, roles);
  await eventually(() => expect(broker.canPublish()).toBe(true));
  return broker;
}

/** Opens a channel without the adapter, for what an operator might do. */
export async function openRawChannel(url: string): Promise<Channel> {
  const connection = await connect(url);
  connection.on('error', () => undefined);
  atTheEnd(() => connection.close().catch(() => undefined));
  const channel = await connection.createChannel();
  channel.on('error', () => undefined);
  return channel;
}
