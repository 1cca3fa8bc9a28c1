import { connect, type Channel, type GetMessage } from 'amqplib';
import { entriesOfBundle } from '../../../src/broker/bundle-form';
import { fromAmqpHeaders } from '../../../src/broker/rabbit-headers';

const NOT_FOUND = 404;

/**
 * Reads the ids of all messages in a queue and leaves the messages there. Those of a bundle are one text, separated by
 * spaces. Returns nothing if the queue does not exist; this
 * is reported as a leftover.
 */
export async function readMessageIds(rabbitUrl: string, queue: string): Promise<string[]> {
  const connection = await connect(rabbitUrl);
  connection.on('error', () => undefined); // the calls below throw it
  try {
    const channel = await connection.createChannel();
    channel.on('error', () => undefined);
    return await idsIn(channel, queue);
  } catch (error) {
    // A failed `get` rejects with the frame from RabbitMQ, which is no Error.
    const { replyCode, replyText } = (error as { fields?: { replyCode?: number; replyText?: string } }).fields ?? {};
    if (replyCode === NOT_FOUND) return [];
    throw replyText === undefined ? error : new Error(replyText, { cause: error });
  } finally {
    await connection.close().catch(() => undefined); // what was taken and not acked goes back
  }
}

async function idsIn(channel: Channel, queue: string): Promise<string[]> {
  const ids: string[] = [];
  for (let message; (message = await channel.get(queue));) ids.push(idsOf(message).join(' '));
  return ids;
}

function idsOf({ content, properties }: GetMessage): string[] {
  const entries = entriesOfBundle(content, fromAmqpHeaders(properties.headers).entries);
  const id = String(properties.messageId);
  return entries ? [id, ...entries.map((entry) => entry.id)] : [id];
}
