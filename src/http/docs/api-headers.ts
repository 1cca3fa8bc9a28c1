import { applyDecorators } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';

const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;

/** Response headers, for `components/headers` of the document. */
export const RESPONSE_HEADERS = {
  'X-Correlation-Id': { description: 'The correlation id of the request, or a new one', required: true, schema: text },
  Location: { description: 'Path of the event', schema: { type: 'string', format: 'uri-reference' } },
  'Idempotent-Replayed': {
    description: '`true` when the event was already stored, or the action was already carried out',
    schema: { type: 'string', enum: ['true'] },
  },
  'Retry-After': { description: 'Seconds to wait before a retry', schema: count },
  'RateLimit-Limit': { description: 'Events or requests allowed in the current minute', schema: count },
  'RateLimit-Remaining': { description: 'Events or requests left in the current minute', schema: count },
  'RateLimit-Reset': { description: 'Seconds until the next minute begins', schema: count },
  Allow: { description: 'Methods that this path supports', schema: text },
  'Accept-Encoding': { description: 'Content encodings that this endpoint accepts', schema: text },
  'Accept-Post': {
    description: 'Media types that this endpoint accepts. A response to PATCH has `Accept-Patch` instead',
    schema: text,
  },
} satisfies Record<string, object>;

export type ResponseHeader = keyof typeof RESPONSE_HEADERS;
export const RATE_LIMIT_HEADERS = ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'] as const;

/** Returns references to these headers, for the `headers` of a response. */
export function responseHeaders(...names: readonly ResponseHeader[]): Record<string, { $ref: string }> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** Request headers of every operation below /v1, for `components/parameters` of the document. */
export const COMMON_PARAMETERS = {
  CorrelationId: {
    name: 'X-Correlation-Id',
    in: 'header',
    description:
      'Identifies the request in logs, responses and deliveries. StreamForge generates one when it is missing or invalid',
    schema: { type: 'string', minLength: 1, maxLength: 128, pattern: '^[\\x21-\\x7e]+$' },
  },
  Traceparent: {
    name: 'traceparent',
    in: 'header',
    description: 'W3C trace context. The trace continues through processing and deliveries',
    schema: { type: 'string', pattern: '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' },
  },
} as const;

/** Documents an optional request header. It has no example, because Swagger UI would send the example. */
function requestHeader(name: string, description: string, schema: Record<string, unknown> = {}): MethodDecorator {
  return ApiHeader({ name, required: false, description, schema: { type: 'string', ...schema } });
}

export const ApiTenantHeader = (): MethodDecorator =>
  requestHeader('X-Tenant-Id', 'The tenant. Swagger UI sends the tenant entered under Authorize', {
    pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$',
  });

export const ApiIdempotencyKeyHeaders = (description: string): MethodDecorator => {
  const schema = { minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' };
  return applyDecorators(
    requestHeader('Idempotency-Key', description, schema),
    requestHeader(
      'X-Idempotency-Key',
      'Alias of `Idempotency-Key`. A request with different values in the two headers is refused',
      schema,
    ),
  );
};

export const ApiContentEncodingHeader = (description: string, codings: readonly string[]): MethodDecorator =>
  requestHeader('Content-Encoding', description, { enum: [...codings, 'identity'] });

/** Documents the headers of a CloudEvent in binary mode. */
export const ApiCloudEventHeaders = (): MethodDecorator =>
  applyDecorators(
    requestHeader('ce-specversion', 'CloudEvents binary mode: `1.0`. The body is the data, of any media type'),
    requestHeader('ce-id', 'CloudEvents binary mode: becomes `eventId`', { maxLength: 255 }),
    requestHeader('ce-type', 'CloudEvents binary mode: becomes `eventType`', { maxLength: 255 }),
    requestHeader('ce-source', 'CloudEvents binary mode: becomes `source`', { maxLength: 512 }),
    requestHeader('ce-subject', 'CloudEvents binary mode: becomes `subject`. Default: the source', { maxLength: 512 }),
    requestHeader('ce-time', 'CloudEvents binary mode: becomes `occurredAt`', { format: 'date-time' }),
    requestHeader('ce-partitionkey', 'CloudEvents binary mode: becomes `partitionKey`', { maxLength: 512 }),
  );
