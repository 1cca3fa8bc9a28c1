import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';

/** The OpenAPI document of the endpoints that this process serves. */
export function describeApi(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('StreamForge')
    .setDescription(
      'Takes every event once, stores it durably, and gets it processed exactly once in effect. ' +
        'Press Authorize first: X-Tenant-Id for events, X-Admin-Token for the admin endpoints.',
    )
    .setVersion('1')
    .addTag('events', 'Sending events and reading them back')
    .addTag('admin', 'What failed, why, and sending it again')
    .addTag('operations', 'Health and metrics')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-Tenant-Id', description: 'Whose events these are' }, 'tenant')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-Admin-Token', description: 'ADMIN_TOKEN' }, 'admin-token')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'METRICS_TOKEN, where it is set' }, 'metrics-token')
    .build();
  return SwaggerModule.createDocument(app, config);
}

/** Swagger UI at /docs, the document at /docs-json. */
export function serveApiDocs(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, () => describeApi(app), {
    jsonDocumentUrl: 'docs-json',
    swaggerOptions: { persistAuthorization: true, displayRequestDuration: true },
  });
}
