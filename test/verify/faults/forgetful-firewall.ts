import { setTimeout as sleep } from 'node:timers/promises';
import type { Network } from '../landscape/network';
import type { Journal } from '../run/journal';
import type { ServerName, TargetName } from './schedule';

/**
 * In this time the processes have replaced the connections, with some room for a slow machine. PostgreSQL: a few seconds,
 * and ten for a connection that nobody uses. Redis: a few seconds. RabbitMQ: its heartbeat needs up to 30 seconds.
 */
const REPLACED_WITHIN_MS: Record<ServerName, number> = { postgres: 25_000, redis: 15_000, rabbitmq: 60_000 };
/** The server does not learn sooner that the connections are over. It may hold locks for them meanwhile. */
const LEAST_MS = 6_000;
const LOOK_EVERY_MS = 250;

/** Forgets all connections of the first process of each role to a server. Resolves when they are replaced, or are not. */
export async function forgetConnections(target: TargetName, network: Network, journal: Journal): Promise<void> {
  const server = target.replace('-connections', '') as ServerName;
  const sinceMs = journal.nowMs;
  network.forget(server);
  await sleep(LEAST_MS);
  while (network.keptOf(server) > 0 && journal.nowMs - sinceMs < REPLACED_WITHIN_MS[server]) await sleep(LOOK_EVERY_MS);
  journal.append({ kind: 'forgotten', server, sinceMs, kept: network.keptOf(server) });
  network.dropForgotten(server);
}
