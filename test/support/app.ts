import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import supertest from 'supertest';
import { parseSettings } from '../../src/config/parse-settings';
import type { Settings } from '../../src/config/settings';
import { createApp } from '../../src/create-app';

export const ADMIN_TOKEN = 'a-token-for-tests-only-1234';

/** Settings as a test wants them: in-process cache and broker unless the environment names servers. */
export function testSettings(env: Record<string, string> = {}): Settings {
  return parseSettings({ NODE_ENV: 'test', LOG_LEVEL: 'fatal', PORT: '0', ADMIN_TOKEN, ...env });
}

export interface TestApp {
  app: NestFastifyApplication;
  url: string;
  http: ReturnType<typeof supertest>;
  close(): Promise<void>;
}

/** The whole application in this process, listening on a free port. */
export async function startTestApp(databaseUrl: string, env: Record<string, string> = {}): Promise<TestApp> {
  const app = await createApp(testSettings(env), databaseUrl);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return { app, url, http: supertest(url), close: () => app.close() };
}
