import { connect, type ChannelModel } from 'amqplib';
import { QUEUES } from '../../broker/broker';
import { withinDeadline } from '../../runtime/deadline';
import { advice, isAtLeast, ok, problem, type Finding } from './finding';

const LEAST_RABBITMQ = '3.10';
const RABBITMQ_WITHIN_MS = 5_000;

export async function checkRabbitMq(url: string | undefined): Promise<Finding[]> {
  if (url === undefined) return [ok('rabbitmq', 'none: the broker is inside the process.')];
  let connection: ChannelModel | undefined;
  try {
    connection = await connect(url, { timeout: RABBITMQ_WITHIN_MS });
    let blocked = '';
    connection.on('blocked', (reason: string) => (blocked = reason));
    connection.on('error', () => undefined); // the channel that meets it tells
    const { version = '' } = connection.connection.serverProperties as { version?: string };
    const findings = isAtLeast(version, LEAST_RABBITMQ)
      ? await checkQueues(connection)
      : [problem('rabbitmq', `version ${version} is older than ${LEAST_RABBITMQ}: upgrade it.`)];
    if (blocked) {
      findings.push(problem('rabbitmq', `it takes no messages (${blocked}): give it memory or disk.`));
    }
    return findings.length > 0 ? findings : [ok('rabbitmq', `version ${version}, with our queues.`)];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [
      problem(
        'rabbitmq',
        `RABBITMQ_URL: no usable RabbitMQ there (${why}): start it, or correct address, account and virtual host.`,
      ),
    ];
  } finally {
    await connection?.close().catch(() => undefined); // it may be gone already, which the findings say
  }
}

/** Looks without declaring: a queue of another kind under our name would only show when the publisher starts. */
async function checkQueues(connection: ChannelModel): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const queue of Object.values(QUEUES)) {
    const channel = await connection.createChannel();
    channel.on('error', () => undefined); // checkQueue rejects with it
    try {
      const { messageCount, consumerCount } = await withinDeadline(RABBITMQ_WITHIN_MS, channel.checkQueue(queue));
      if (consumerCount === 0 && messageCount > 0 && queue !== QUEUES.dlq) {
        findings.push(
          advice('rabbitmq', `${messageCount} messages wait in ${queue} and nobody consumes it: start a worker.`),
        );
      }
      await channel.close();
    } catch {
      findings.push(advice('rabbitmq', `there is no queue ${queue} yet: the first publisher or worker makes it.`));
    }
  }
  return findings;
}
