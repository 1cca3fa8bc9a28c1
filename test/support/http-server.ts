import { connect, type AddressInfo, type Socket } from 'node:net';
import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { parseSettings } from '../../src/config/parse-settings';
import { createFastifyAdapter } from '../../src/http/fastify-server';
import { KnownRoutes } from '../../src/http/known-routes';
import { BufferBudget } from '../../src/runtime/buffer-budget';
import { ProblemFilter } from '../../src/http/problem.filter';

export interface HttpServer {
  app: NestFastifyApplication;
  /** Connections that were closed because their client did not read. */
  unread: () => number;
  connect: () => Promise<Socket>;
  close: () => Promise<void>;
}

/** Starts the HTTP server of every role with the endpoints of one module, without any backend. */
export async function startHttpServer(
  module: Type,
  env: NodeJS.ProcessEnv = {},
  prepare: (app: NestFastifyApplication) => void = () => undefined,
): Promise<HttpServer> {
  const routes = new KnownRoutes();
  const settings = parseSettings({ NODE_ENV: 'test', HOST: '0.0.0.0', ...env });
  let unread = 0;
  const adapter = createFastifyAdapter(settings, routes, new BufferBudget(settings.MAX_BUFFER_BYTES), () => unread++);
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, { logger: false, bodyParser: false });
  app.useGlobalFilters(new ProblemFilter(routes));
  prepare(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return {
    app,
    unread: () => unread,
    connect: () =>
      new Promise((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () =>
          resolve(socket.off('error', reject).on('error', () => undefined)),
        );
        socket.once('error', reject);
      }),
    close: () => app.close(),
  };
}

@Module({})
export class NoEndpoints {}
