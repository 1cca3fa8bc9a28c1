import { connect } from 'amqplib';

const QUEUE = 'events.dlq';

/** Reads the event ids of all messages in events.dlq and leaves the messages there. */
export async function readDeadLetterCopies(rabbitUrl: string): Promise<string[]> {
  const connection = await connect(rabbitUrl);
  try {
    const channel = await connection.createChannel();
    const ids: string[] = [];
    for (let message; (message = await channel.get(QUEUE));) ids.push(String(message.properties.messageId));
    return ids;
  } finally {
    await connection.close(); // what was taken and not acked goes back
  }
}
