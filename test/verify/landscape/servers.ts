import { OwnServer } from '../../support/processes/e2e-own-servers';
import type { Killable } from '../../support/processes/process-tree';
import { startRabbitMq, type RabbitMqServer } from '../../support/processes/servers';
import { Inconclusive, ofTheRun } from '../run/inconclusive';
import { Network } from './network';

export interface Servers {
  postgres: OwnServer;
  redis: OwnServer;
  rabbitmq: RabbitMqServer;
  network: Network;
}

/** Starts all servers. @throws Inconclusive if one does not start; the others are stopped then */
export async function startServers(directory: string): Promise<Servers> {
  const settled = await Promise.allSettled([OwnServer.postgres(), OwnServer.redis(), startRabbitMq(directory)]);
  const [postgres, redis, rabbitmq] = settled;
  const started = settled.flatMap((server) => (server.status === 'fulfilled' ? [server.value] : []));
  const reasons = settled.flatMap((server) => (server.status === 'rejected' ? [String(server.reason)] : []));
  if (postgres.status === 'fulfilled' && redis.status === 'fulfilled' && rabbitmq.status === 'fulfilled') {
    const servers = { postgres: postgres.value, redis: redis.value, rabbitmq: rabbitmq.value };
    const urls = {
      postgres: servers.postgres.url,
      redis: servers.redis.url,
      rabbitmq: servers.rabbitmq.env.TEST_RABBITMQ_URL as string,
    };
    try {
      return { ...servers, network: await Network.before(urls) };
    } catch (error) {
      reasons.push(String(error));
    }
  }
  await Promise.allSettled(started.map((server) => server.stop()));
  throw new Inconclusive(`a server does not start: ${reasons.join('; ')}`);
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
