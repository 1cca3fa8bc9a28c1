import { OwnServer } from '../../support/processes/e2e-own-servers';
import type { Killable } from '../../support/processes/process-tree';
import { startRabbitMq, type RabbitMqServer } from '../../support/processes/servers';
import { Inconclusive, ofTheRun } from '../run/inconclusive';

export interface Servers {
  postgres: OwnServer;
  redis: OwnServer;
  rabbitmq: RabbitMqServer;
}

/** Starts all servers. @throws Inconclusive if one does not start; the others are stopped then */
export async function startServers(directory: string): Promise<Servers> {
  const settled = await Promise.allSettled([OwnServer.postgres(), OwnServer.redis(), startRabbitMq(directory)]);
  const [postgres, redis, rabbitmq] = settled;
  if (postgres.status === 'fulfilled' && redis.status === 'fulfilled' && rabbitmq.status === 'fulfilled') {
    return { postgres: postgres.value, redis: redis.value, rabbitmq: rabbitmq.value };
  }
  const started = settled.flatMap((server) => (server.status === 'fulfilled' ? [server.value] : []));
  await Promise.allSettled(started.map((server) => server.stop()));
  const reasons = settled.flatMap((server) => (server.status === 'rejected' ? [String(server.reason)] : []));
  throw new Inconclusive(`a server does not start: ${reasons.join('; ')}`);
}

/** Whatever state they are in. */
export async function stopServers({ postgres, redis, rabbitmq }: Servers): Promise<void> {
  rabbitmq.thaw();
  await Promise.allSettled([postgres.stop(), redis.stop(), rabbitmq.stop()]);
}

/** Starts a server again, with a second try if it does not come up. @throws Inconclusive */
export function bringBack(name: string, server: Killable): Promise<void> {
  return ofTheRun(`${name} does not come back`, async () => {
    try {
      await server.startAgain();
    } catch {
      await server.kill();
      await server.startAgain();
    }
  });
}
