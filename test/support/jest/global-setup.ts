import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { prepareTemplate } from '../database';
import { startPostgres, startRabbitMq, startRedis, type TestServer } from '../processes/servers';

/**
 * Provides the servers of the run. A server whose URL is given is used as it is; the others are started privately. A
 * server that is neither given nor installed fails the run: no test is skipped.
 */
export default async function globalSetup(): Promise<void> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-test-'));
  fs.chmodSync(directory, 0o755);
  const wanted: Promise<TestServer>[] = [];
  if (!process.env.TEST_DATABASE_URL) wanted.push(startPostgres(directory));
  if (!process.env.TEST_REDIS_URL) wanted.push(startRedis(directory));
  if (!process.env.TEST_RABBITMQ_URL) wanted.push(startRabbitMq(directory));
  const settled = await Promise.allSettled(wanted);
  const servers = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  (globalThis as Record<string, unknown>).stopTestServers = async () => {
    await Promise.all(servers.map((server) => server.stop()));
    fs.rmSync(directory, { recursive: true, force: true });
  };
  const failures = settled.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []));
  if (failures.length > 0) {
    await Promise.all(servers.map((server) => server.stop()));
    throw new Error(failures.join('\n'));
  }
  for (const server of servers) Object.assign(process.env, server.env);
  await prepareTemplate();
}
