import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { describeApi } from './api-docs';
import { swaggerInit, swaggerPage } from './swagger-page';

/** A document that never changes while the process runs: one buffer for all its readers. */
interface StaticDocument {
  type: string;
  etag: string;
  body: Buffer;
}

const ASSETS_DIRECTORY = path.dirname(require.resolve('swagger-ui-dist/package.json'));

/** The files of Swagger UI that the page loads. Nothing else of its package is served. */
const ASSETS: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'swagger-ui-standalone-preset.js': 'text/javascript; charset=utf-8',
  'favicon-16x16.png': 'image/png',
  'favicon-32x32.png': 'image/png',
};

/** Serves Swagger UI at /docs and the document at /docs-json and /docs-yaml. Each is made at its first use. */
export function serveApiDocs(app: NestFastifyApplication): void {
  const server = app.getHttpAdapter().getInstance();
  const description = once(() => JSON.stringify(describeApi(app)));
  const page = (base: string) => () => swaggerPage(base);
  serve(server, '/docs-json', 'application/json; charset=utf-8', description);
  serve(server, '/docs-yaml', 'text/yaml; charset=utf-8', description); // JSON is YAML
  serve(server, '/docs', 'text/html; charset=utf-8', page('./docs/'));
  serve(server, '/docs/', 'text/html; charset=utf-8', page('./'));
  serve(server, '/docs/index.html', 'text/html; charset=utf-8', page('./'));
  serve(server, '/docs/swagger-ui-init.js', 'text/javascript; charset=utf-8', () => swaggerInit(description()));
  for (const [name, type] of Object.entries(ASSETS)) {
    serve(server, `/docs/${name}`, type, () => readFileSync(path.join(ASSETS_DIRECTORY, name)));
  }
}

function serve(server: FastifyInstance, url: string, type: string, make: () => string | Buffer): void {
  const document = once((): StaticDocument => {
    const body = Buffer.from(make());
    return { type, etag: `"${createHash('sha256').update(body).digest('base64url')}"`, body };
  });
  server.get(url, (request, reply) => send(request, reply, document()));
}

/** Browsers ask again each time, since the next build may differ, and mostly hear that nothing has changed. */
function send(request: FastifyRequest, reply: FastifyReply, { type, etag, body }: StaticDocument): void {
  reply.headers({ 'Cache-Control': 'no-cache', ETag: etag });
  if (request.headers['if-none-match'] === etag) void reply.status(304).send();
  else void reply.type(type).send(body);
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
