import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import supertest from 'supertest';
import { parseSettings } from '../../src/config/parse-settings';
import type { Settings } from '../../src/config/settings';
import { createApp, listen } from '../../src/create-app';

export const ADMIN_TOKEN = 'a-token-for-tests-only-1234';

/** All tests send from one address and share its limit in Redis. Tests of the limit set another value. */
export const NO_ADMIN_LIMIT = { ADMIN_RATE_LIMIT_PER_MINUTE: '1000000' };

/** They would come beside what a test has caused. Their own tests switch them on. */
export const NO_OPERATOR_EVENTS = { OPERATOR_EVENTS: 'false' };

/** Settings for a test: in-process cache and broker, unless `env` names servers. */
export function testSettings(env: Record<string, string> = {}): Settings {
  return parseSettings({
    NODE_ENV: 'test',
    LOG_LEVEL: 'fatal',
    PORT: '0',
    ADMIN_TOKEN,
    ...NO_ADMIN_LIMIT,
    ...NO_OPERATOR_EVENTS,
    ...env,
  });
}

export interface TestApp {
  app: NestFastifyApplication;
  url: string;
  /** The URL of OPS_PORT, if it is set. */
  opsUrl: string | undefined;
  http: ReturnType<typeof supertest>;
  close(): Promise<void>;
}

/** Starts the whole application in this process, on a free port. */
export async function startTestApp(databaseUrl: string, env: Record<string, string> = {}): Promise<TestApp> {
  const settings = testSettings(env);
  const app = await createApp(settings, databaseUrl);
  const { url, opsUrl } = await listen(app, { ...settings, HOST: '127.0.0.1' });
  return { app, url, opsUrl, http: supertest(url), close: () => app.close() };
}
