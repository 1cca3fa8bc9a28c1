import { randomUUID } from 'node:crypto';
import { connect, type Channel, type GetMessage } from 'amqplib';
import { SeededRandom } from '../load/random';
import type { Journal } from '../run/journal';

const QUEUES = ['events.main', 'events.retry'];
const MOST = 40;
const EXCHANGE = 'events';
/** The AMQP header that holds all headers of a message as JSON. */
const HEADER = 'streamforge';

/** Gets messages and requeues them in reverse order. They are delivered again, marked as redelivered. */
export function reorderMessages(rabbitUrl: string): Promise<void> {
  return withMessages(rabbitUrl, async (channel, messages) => {
    for (const message of messages.reverse()) channel.nack(message, false, true);
  });
}

/** Publishes messages a second time, as a publisher does after a lost confirm. */
export function copyMessages(rabbitUrl: string): Promise<void> {
  return withMessages(rabbitUrl, async (channel, messages) => {
    for (const { content, properties, fields } of messages) {
      const { headers, messageId, contentType } = properties as {
        headers: object;
        messageId: string;
        contentType: string;
      };
      channel.publish(EXCHANGE, fields.routingKey, content, { headers, messageId, contentType, persistent: true });
    }
    for (const message of messages) channel.nack(message, false, true);
  });
}

interface Forgeable {
  id: string;
  /** The packed headers: with its signature, if the message has one. */
  headers: Record<string, unknown>;
  body: Buffer;
}

interface Forgery {
  forge: (message: Forgeable) => Forgeable;
  /** No worker can read it, so it is parked. Every other forgery is dropped, or used as PostgreSQL knows it. */
  isUnreadable?: true;
}

const changed =
  (change: Record<string, unknown>) =>
  (message: Forgeable): Forgeable => ({ ...message, headers: { ...message.headers, ...change } });
const withBody = (message: Forgeable): Forgeable => ({ ...message, body: Buffer.from('{"payload":{"forged":true}}') });
const ofNobody = (message: Forgeable): Forgeable => ({ ...message, id: randomUUID() });
const unsigned = ({ headers, ...message }: Forgeable): Forgeable => {
  const { form: _form, entries: _entries, mac: _mac, ...others } = headers;
  return { ...message, headers: others };
};

const FORGERIES: readonly Forgery[] = [
  ...[{ 'tenant-id': 'attacker' }, { 'size-bytes': 1 }, { 'dispatch-no': 7 }, { 'dispatch-no': 1.5 }].map((change) => ({
    forge: changed(change),
  })),
  { forge: changed({ generation: 1e18 }) },
  { forge: withBody },
  { forge: ofNobody },
  { forge: (message) => unsigned(ofNobody(message)) },
  { forge: (message) => unsigned(withBody(message)) },
  { forge: (message) => unsigned(changed({ 'tenant-id': 'attacker' })(message)) },
  { forge: (message) => unsigned(changed({ 'dispatch-no': 9 })(message)) },
  { forge: (message) => unsigned(changed({ generation: 9 })(message)) },
  ...[{ 'dispatch-no': 1.5 }, { generation: 1e18 }, { 'received-at': 'infinity' }, { 'size-bytes': -1 }].map(
    (change) => ({ forge: (message: Forgeable) => unsigned(changed(change)(message)), isUnreadable: true as const }),
  ),
];

/** Publishes forgeries of waiting messages before the true ones, as somebody who may write to RabbitMQ can. */
export function forgeMessages(rabbitUrl: string, seed: number, journal: Journal): Promise<void> {
  const random = new SeededRandom(seed);
  return withMessages(rabbitUrl, (channel, messages) => {
    for (const { content: body, properties, fields } of messages) {
      const packed = (properties.headers as Record<string, unknown>)[HEADER];
      const { forge, isUnreadable } = random.pick(FORGERIES);
      const headers = JSON.parse(String(packed)) as Record<string, unknown>;
      const forged = forge({ id: String(properties.messageId), headers, body });
      if (isUnreadable) journal.append({ kind: 'forged', ids: [forged.id] });
      channel.publish(EXCHANGE, fields.routingKey, forged.body, {
        headers: { [HEADER]: JSON.stringify(forged.headers) },
        messageId: forged.id,
        persistent: true,
      });
    }
    for (const message of messages) channel.nack(message, false, true);
    return Promise.resolve();
  });
}

/** Does nothing while RabbitMQ is down. If it goes down in between, it requeues the messages itself. */
async function withMessages(
  rabbitUrl: string,
  work: (channel: Channel, messages: GetMessage[]) => Promise<void>,
): Promise<void> {
  const connection = await connect(rabbitUrl, { timeout: 2_000 }).catch(() => undefined);
  if (!connection) return;
  connection.on('error', () => undefined);
  try {
    const channel = await connection.createChannel();
    channel.on('error', () => undefined);
    for (const queue of QUEUES) {
      const messages: GetMessage[] = [];
      for (let message; messages.length < MOST && (message = await channel.get(queue));) messages.push(message);
      await work(channel, messages);
    }
    await channel.close();
  } catch (error) {
    const text = error instanceof Error ? error.message : JSON.stringify(error); // amqplib also throws frames
    if (!/clos|ended|NOT_FOUND|ECONN/i.test(text)) throw new Error(text, { cause: error });
  } finally {
    await connection.close().catch(() => undefined);
  }
}
