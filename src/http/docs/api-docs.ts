import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { version } from '../../../package.json';
import { JSON_VALUE } from './api-fields';
import { COMMON_PARAMETERS, RATE_LIMIT_HEADERS, RESPONSE_HEADERS, responseHeaders } from './api-headers';
import { problemComponents } from './api-problem';
import { DeliveredEvent } from './delivered-event';
import { SECURITY_SCHEMES } from './security-schemes';
import { WEBHOOKS } from './webhooks';

/** Returns the OpenAPI document of the endpoints that this process serves. */
export function describeApi(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('StreamForge')
    .setDescription(
      'StreamForge accepts each event once, stores it durably, and processes it with exactly-once effects. ' +
        'To try an endpoint, press Authorize. For events, enter an API key under `api-key`, or a tenant under `tenant` ' +
        'where TENANT_AUTH allows it. For the admin endpoints, enter ADMIN_TOKEN or an operator token under `admin-token`, ' +
        'or a token of the OIDC issuer under `bearer`. This page forgets what you entered when it is closed. ' +
        '`x-role` is the least role that an admin endpoint needs. `GET /v1/whoami` returns who you are. ' +
        'Scripts of other origins may call the API if CORS_ALLOWED_ORIGINS lists their origin.',
    )
    .setVersion(version)
    .addServer('/')
    .addTag('events', 'Send events and read them back')
    .addTag('access', 'Who sends a request')
    .addTag(
      'admin',
      'Find failed events and their causes; retry, discard and replay events; manage destinations, tenants, keys and operators',
    )
    .addTag('operations', 'Health and metrics')
    .addTag('webhooks', 'Requests that destinations receive')
    .build();
  const document = SwaggerModule.createDocument(app, config, { extraModels: [DeliveredEvent] });
  document.components = {
    ...document.components,
    securitySchemes: SECURITY_SCHEMES,
    schemas: { ...document.components?.schemas, JsonValue: JSON_VALUE },
    ...problemComponents(),
    headers: RESPONSE_HEADERS,
    parameters: COMMON_PARAMETERS,
  };
  for (const [path, methods] of Object.entries(document.paths)) {
    if (path.startsWith('/v1/')) Object.values(methods).forEach(addCommonHeaders);
  }
  return { ...document, webhooks: WEBHOOKS };
}

/**
 * Adds the headers that controllers do not repeat: correlation, tracing, and the rate limit if the operation has one.
 */
function addCommonHeaders(operation: OpenAPIObject['paths'][string]['get'] & object): void {
  operation.parameters = [
    ...(operation.parameters ?? []),
    ...Object.keys(COMMON_PARAMETERS).map((name) => ({ $ref: `#/components/parameters/${name}` })),
  ];
  const limited = '429' in operation.responses ? RATE_LIMIT_HEADERS : [];
  for (const [status, response] of Object.entries(operation.responses)) {
    if (!response) continue;
    if ('$ref' in response)
      operation.responses[status] = { $ref: response.$ref }; // drops the empty description that Nest adds
    else response.headers = { ...responseHeaders('X-Correlation-Id', ...limited), ...response.headers };
  }
}
