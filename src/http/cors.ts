import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Response headers that scripts of other origins may read, besides those that browsers always expose. */
const EXPOSED_HEADERS = [
  'X-Correlation-Id',
  'Location',
  'Idempotent-Replayed',
  'Retry-After',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'Allow',
  'Accept-Post',
  'Accept-Patch',
  'Accept-Encoding',
];

const PREFLIGHT_VALID_SECONDS = 600;

/**
 * Lets scripts of these origins call the API (CORS). Any request header is allowed, because a CloudEvent has a header
 * for each of its attributes. Credentials are not: tokens are sent in headers that a script must set itself.
 */
export function allowOrigins(app: NestFastifyApplication, origins: readonly string[]): void {
  if (origins.length === 0) return;
  app.enableCors({
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_VALID_SECONDS,
    preflightContinue: true, // the response then passes the other hooks and carries X-Correlation-Id
    strictPreflight: false,
  });
}
