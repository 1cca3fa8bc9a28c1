import { getSchemaPath, type OpenAPIObject } from '@nestjs/swagger';
import { DeliveredEvent } from './delivered-event';

const header = (name: string, description: string, required = true) => ({
  name,
  in: 'header' as const,
  required,
  description,
  schema: { type: 'string' as const },
});

/** The requests that StreamForge sends to destinations. */
export const WEBHOOKS: OpenAPIObject['webhooks'] = {
  event: {
    post: {
      operationId: 'receiveEvent',
      tags: ['webhooks'],
      summary: 'An event is delivered to a destination.',
      description:
        'Signed as Standard Webhooks describe: HMAC-SHA256 over id, timestamp and body. A delivery may arrive more than once; `webhook-id` names the event.',
      parameters: [
        header('webhook-id', 'The id of the event, the same on every retry'),
        header('webhook-timestamp', 'Unix seconds of this attempt'),
        header('webhook-signature', '`v1,` and the signature in base64; several are separated by spaces'),
        header('X-Correlation-Id', 'The correlation id of the event'),
        header('traceparent', 'W3C trace context', false),
      ],
      requestBody: {
        required: true,
        content: { 'application/json': { schema: { $ref: getSchemaPath(DeliveredEvent) } } },
      },
      responses: {
        '2XX': { description: 'Delivered' },
        '410': { description: 'Disables the destination and makes the event a dead letter' },
        '429': { description: 'Retried, not before `Retry-After`; so are 408 and 425' },
        '4XX': { description: 'Not retried; neither are redirects' },
        '5XX': { description: 'Retried' },
      },
    },
  },
};
