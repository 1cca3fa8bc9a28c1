import { connect, type Channel, type GetMessage } from 'amqplib';

const QUEUES = ['events.main', 'events.retry'];
const MOST = 40;
const EXCHANGE = 'events';

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
