import '../runtime/require-node';
import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { startEmbeddedPostgres } from '../db/embedded/embedded-postgres';
import { explainStartFailure } from '../runtime/start-failure';
import { checkPostgres } from './doctor/check-postgres';
import { checkRabbitMq } from './doctor/check-rabbitmq';
import { checkRedis } from './doctor/check-redis';
import { checkNode, checkSettings } from './doctor/check-settings';
import { ok, problem, report, type Finding } from './doctor/finding';

/**
 * `npm run doctor`: looks at every setting, version and dependency and says in one sentence each what is wrong and what
 * to do. Exit code 1 when something keeps StreamForge from working. Safe beside running processes: it only looks.
 */
async function main(): Promise<void> {
  const file = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {};
  const { settings, findings } = checkSettings({ ...file, ...process.env }, Object.keys(file));
  const [postgres, redis, rabbitmq] = await Promise.all([
    settings.DATABASE_URL ? checkPostgres(settings.DATABASE_URL) : checkEmbedded(settings.STREAMFORGE_DATA_DIR),
    checkRedis(settings.REDIS_URL),
    checkRabbitMq(settings.RABBITMQ_URL),
  ]);
  const all = [checkNode(process.version), ...findings, ...postgres, ...redis, ...rabbitmq];
  process.stdout.write(report(all));
  process.exitCode = all.some(({ verdict }) => verdict === 'problem') ? 1 : 0;
}

/** The embedded server runs only while somebody uses it, so it is started for the look; its schema comes with `npm start`. */
async function checkEmbedded(dataDir: string): Promise<Finding[]> {
  try {
    const embedded = await startEmbeddedPostgres(dataDir);
    try {
      const findings = await checkPostgres(embedded.url);
      const withoutSchema = findings.filter(({ what }) => what !== 'schema' && what !== 'outbox');
      return [...withoutSchema, ok('postgres', `embedded, data in ${embedded.directory}; npm start migrates it.`)];
    } finally {
      await embedded.stop();
    }
  } catch (error) {
    return [problem('postgres', explainStartFailure(error))];
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${explainStartFailure(error)}\n`);
  process.exit(1);
});
