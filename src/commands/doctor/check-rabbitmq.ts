import { connect, type ChannelModel } from 'amqplib';
import { credentialsOf } from '../../broker/amqp-credentials';
import { QUEUES } from '../../broker/broker';
import { namesIn } from '../../broker/rabbit-names';
import { withinDeadline } from '../../runtime/deadline';
import { advice, isAtLeast, ok, problem, type Finding } from '../../db/condition/finding';

const LEAST_RABBITMQ = '3.10';
const RABBITMQ_WITHIN_MS = 5_000;

/** What is checked of the settings. */
export interface QueueSettings {
  /** Whether events.dlq is used (DLQ_COPY). */
  deadLetterCopies: boolean;
  /** BROKER_NAMESPACE. */
  namespace: string;
}

export async function checkRabbitMq(url: string | undefined, settings: QueueSettings): Promise<Finding[]> {
  if (url === undefined) return [ok('rabbitmq', 'none, the broker is in the process.')];
  let connection: ChannelModel | undefined;
  try {
    connection = await connect(url, { timeout: RABBITMQ_WITHIN_MS, ...credentialsOf(url) });
    let blocked = '';
    connection.on('blocked', (reason: string) => (blocked = reason));
    connection.on('error', () => undefined); // the channel that is affected reports it
    const { version = '' } = connection.connection.serverProperties as { version?: string };
    const findings = isAtLeast(version, LEAST_RABBITMQ)
      ? await checkQueues(connection, settings)
      : [problem('rabbitmq', `version ${version} is older than ${LEAST_RABBITMQ}: upgrade it.`)];
    if (blocked) {
      findings.push(
        problem('rabbitmq', `it accepts no messages (${blocked}): free memory or disk space on the broker.`),
      );
    }
    return findings.length > 0 ? findings : [ok('rabbitmq', `version ${version}, with the queues of StreamForge.`)];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [
      problem(
        'rabbitmq',
        `RabbitMQ cannot be used (${why}): start it, or correct address, account and virtual host in RABBITMQ_URL.`,
      ),
    ];
  } finally {
    await connection?.close().catch(() => undefined); // already closed: the findings say why
  }
}

/** Does not declare the queues, so it cannot see whether an existing one has other arguments. The publisher will. */
async function checkQueues(connection: ChannelModel, settings: QueueSettings): Promise<Finding[]> {
  const findings: Finding[] = [];
  const names = namesIn(settings.namespace);
  for (const queue of [...Object.values(QUEUES).map(names.queue), names.bundles, names.safety]) {
    const channel = await connection.createChannel();
    channel.on('error', () => undefined); // checkQueue rejects with the same error
    try {
      const { messageCount, consumerCount } = await withinDeadline(RABBITMQ_WITHIN_MS, channel.checkQueue(queue));
      const finding = assessQueue({ queue, messageCount, consumerCount }, settings);
      if (finding) findings.push(finding);
      await channel.close();
    } catch {
      if (queue === names.queue(QUEUES.dlq) && !settings.deadLetterCopies) continue;
      findings.push(advice('rabbitmq', `there is no queue ${queue} yet: the first publisher or worker declares it.`));
    }
  }
  return findings;
}

export function assessQueue(
  { queue, messageCount, consumerCount }: { queue: string; messageCount: number; consumerCount: number },
  { deadLetterCopies, namespace }: QueueSettings,
): Finding | undefined {
  const names = namesIn(namespace);
  if (queue === names.safety) {
    if (messageCount === 0) return undefined;
    return advice(
      'rabbitmq',
      `${messageCount} messages were parked in ${queue}: find out in the log of the workers why, then purge it.`,
    );
  }
  if (queue === names.queue(QUEUES.dlq)) {
    if (deadLetterCopies) return undefined;
    return advice(
      'rabbitmq',
      `${queue} is not used without DLQ_COPY and holds ${messageCount} messages: delete it, unless a process of an earlier version still runs.`,
    );
  }
  if (consumerCount > 0 || messageCount === 0) return undefined;
  return advice('rabbitmq', `${messageCount} messages wait in ${queue}, which has no consumer: start a worker.`);
}
