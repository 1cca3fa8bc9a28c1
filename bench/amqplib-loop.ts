import { connect, type ConfirmChannel } from 'amqplib';
import { eventJson } from '#bench/events';

const QUEUE = 'events.main';
const IN_FLIGHT = 2_000;

/**
 * The rate that amqplib and RabbitMQ reach without a database: messages of the same size and header, confirmed, with as many
 * in flight as two claims. Returns messages per second.
 */
export async function amqplibAlone(url: string, count: number): Promise<number> {
  const connection = await connect(url);
  try {
    const channel = await connection.createConfirmChannel();
    const startedMs = performance.now();
    await publishAll(channel, count);
    return (count / (performance.now() - startedMs)) * 1000;
  } finally {
    await connection.close();
  }
}

function publishAll(channel: ConfirmChannel, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let confirmed = 0;
    const settle = (error: unknown): void => {
      if (error) reject(error instanceof Error ? error : new Error('refused'));
      else if (++confirmed === count) resolve();
      else if (sent - confirmed <= IN_FLIGHT / 2) fill();
    };
    const fill = (): void => {
      while (sent < count && sent - confirmed < IN_FLIGHT) {
        const body = Buffer.from(eventJson({ type: 'order.paid', run: 'amqplib' }, sent++));
        channel.publish('events', QUEUE, body, optionsOf(sent), settle);
      }
    };
    fill();
  });
}

const optionsOf = (n: number) => ({
  mandatory: true,
  persistent: true,
  messageId: `message-${n}`,
  contentType: 'application/json',
  headers: {
    streamforge: JSON.stringify({
      'tenant-id': 'backlog',
      'event-type': 'order.paid',
      'received-at': '2026-01-31T12:00:00.000Z',
      'size-bytes': 600,
      'correlation-id': 'backlog',
      'dispatch-no': 1,
      generation: 1,
    }),
  },
});
