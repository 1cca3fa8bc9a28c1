import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { AccessDirectory } from './access/identity/access-directory';
import { recognizeTenants } from './access/identity/recognize-tenants';
import { OperatorAccess } from './access/operator-access';
import { TenantAccess } from './access/tenant-access';
import { guardAdminRoutes } from './admin/endpoint/admin-gate';
import { AppModule } from './app.module';
import { servesConsole, servesDocs } from './config/exposure';
import type { Settings } from './config/settings';
import { consoleDirectory } from './http/console/console-directory';
import { serveConsole } from './http/console/serve-console';
import { allowOrigins } from './http/cors';
import { serveApiDocs } from './http/docs/serve-docs';
import { createFastifyAdapter } from './http/fastify-server';
import { ProblemFilter } from './http/problem.filter';
import { KnownRoutes } from './http/known-routes';
import { createValidationPipe } from './http/validation';
import { AppLogger } from './observability/app-logger';
import { Metrics } from './observability/metrics';
import { ClockIndicator } from './operations/health-indicators';
import { ReadinessChecks } from './operations/readiness';
import { BufferBudget } from './runtime/buffer-budget';
import { withinDeadline } from './runtime/deadline';
import type { ShutdownPhases } from './runtime/shutdown-phases';
import { guardSources } from './sources/source-gate';
import { SourceRegistry } from './sources/directory/source-registry';

/** The process ends then, and closes what is still open. */
const ABANDON_WITHIN_MS = 5_000;

/** Creates the Nest application for the roles in the settings, ready to listen. The schema must be up to date. */
export async function createApp(settings: Settings, databaseUrl: string): Promise<NestFastifyApplication> {
  const routes = new KnownRoutes();
  const buffers = new BufferBudget(settings.MAX_BUFFER_BYTES);
  const app: NestFastifyApplication = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoles(settings, databaseUrl, buffers),
    createFastifyAdapter(settings, routes, buffers, () => app.get(Metrics).unreadResponses.inc()),
    { bufferLogs: true, bodyParser: false, abortOnError: false },
  );
  app.useLogger(app.get(AppLogger));
  app.useGlobalFilters(new ProblemFilter(routes));
  app.useGlobalPipes(createValidationPipe());
  if (settings.APP_ROLE.includes('api')) {
    allowOrigins(app, settings.CORS_ALLOWED_ORIGINS);
    if (servesDocs(settings)) serveApiDocs(app);
    const builtConsole = servesConsole(settings) ? consoleDirectory() : undefined;
    if (builtConsole !== undefined) serveConsole(app.getHttpAdapter().getInstance(), builtConsole);
    recognizeTenants(app.getHttpAdapter().getInstance(), app.get(TenantAccess));
    guardAdminRoutes(app.getHttpAdapter().getInstance(), app.get(OperatorAccess));
    guardSources(app.getHttpAdapter().getInstance(), {
      registry: app.get(SourceRegistry),
      directory: app.get(AccessDirectory),
      allowlist: settings.TENANT_ALLOWLIST,
    });
  }
  return app;
}

/** Starts to listen on PORT and, if it is set, OPS_PORT. Returns their URLs. */
export async function listen(
  app: NestFastifyApplication,
  { PORT, HOST }: Pick<Settings, 'PORT' | 'HOST'>,
): Promise<{ url: string; opsUrl: string | undefined }> {
  await app.get(ClockIndicator, { strict: false }).fault(); // from the first event on, ids have the right time
  await app.listen(PORT, HOST);
  const server: FastifyInstance = app.getHttpAdapter().getInstance();
  return { url: await app.getUrl(), opsUrl: await server.opsPort?.listen() };
}

/** Closes what a failed start has opened. Never rejects and never waits for long: why it failed is to be said. */
export async function abandon(app: NestFastifyApplication): Promise<void> {
  await withinDeadline(ABANDON_WITHIN_MS, app.close()).catch((error: unknown) => {
    new Logger('Start').debug(`the application could not be closed: ${String(error)}`);
  });
}

/**
 * Ends an application that listens. At first it serves as before, but /ready is 503 and each response closes its
 * connection. Then it takes no more requests and finishes what it has begun. A client that neither completes its
 * request nor reads its response does not keep the application from ending.
 */
export async function leave(
  app: NestFastifyApplication,
  { drainMs, closeMs }: Pick<ShutdownPhases, 'drainMs' | 'closeMs'>,
): Promise<void> {
  const server: FastifyInstance = app.getHttpAdapter().getInstance();
  app.get(ReadinessChecks, { strict: false }).drain();
  server.lastResponses.begin();
  await sleep(drainMs);
  const closing = setTimeout(() => server.server.closeAllConnections(), closeMs);
  await app.close();
  clearTimeout(closing);
}
