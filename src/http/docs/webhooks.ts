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
      summary: 'Deliver an event to a destination.',
      description:
        'Signed according to Standard Webhooks: HMAC-SHA256 over id, timestamp and body. A delivery may arrive more than once; `webhook-id` identifies the event.',
      parameters: [
        header('webhook-id', 'The id of the event, the same on every retry'),
        header('webhook-timestamp', 'Time of this attempt, in Unix seconds'),
        header('webhook-signature', '`v1,` and the signature in base64; several signatures are separated by spaces'),
        header('webhook-attempt', 'The number of this attempt, from 1. A retry by an operator does not reset it'),
        header('X-Correlation-Id', 'The correlation id of the event'),
        header('traceparent', 'W3C trace context', false),
      ],
      requestBody: {
        required: true,
        description: 'The body without `transform` and with the default `format`',
        content: { 'application/json': { schema: { $ref: getSchemaPath(DeliveredEvent) } } },
      },
      responses: {
        '2XX': { description: 'Delivered' },
        '410': { description: 'Not retried. Disables the destination' },
        '429': { description: 'Retried, not before `Retry-After`. The same holds for 408 and 425' },
        '4XX': { description: 'Not retried. Redirects are not retried either' },
        '5XX': { description: 'Retried, not before `Retry-After`' },
      },
    },
  },
};
