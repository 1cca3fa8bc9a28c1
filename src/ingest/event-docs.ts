/** Schemas of the responses in the OpenAPI document, for what Nest cannot derive. */
const INSTANT = { type: 'string', format: 'date-time', example: '2026-11-24T04:08:57.544Z' };
const textLike = (example: string) => ({ type: 'string', example });
const maybe = (schema: object) => ({ ...schema, nullable: true });

export const ACCEPTED_SCHEMA = {
  type: 'object',
  properties: {
    status: { type: 'string', enum: ['accepted', 'duplicate'] },
    duplicate: { type: 'boolean' },
    id: { type: 'string', format: 'uuid' },
    eventId: textLike('sale-1001'),
    tenantId: textLike('demo'),
    type: textLike('sale.completed'),
    subject: textLike('order-1001'),
    partitionKey: textLike('order-1001'),
    hash: textLike('76a217fe795fb749329e718a310a2b557b7e13782e73a94ef33357dc353c9cb6'),
    correlationId: textLike('c-1'),
    receivedAt: INSTANT,
  },
};

const COUNT = { type: 'integer', minimum: 0 };
export const STREAM_ANSWER_SCHEMA = {
  type: 'object',
  properties: {
    status: { type: 'string', enum: ['accepted', 'partial', 'rejected'] },
    summary: {
      type: 'object',
      properties: { records: COUNT, accepted: COUNT, duplicates: COUNT, rejected: COUNT, bytes: COUNT },
    },
    errors: {
      type: 'array',
      description: 'The first 100',
      items: {
        type: 'object',
        properties: {
          record: { type: 'integer', example: 3 },
          code: textLike('invalid-event'),
          message: textLike('/occurredAt must be an RFC 3339 date-time'),
          pointer: textLike('/occurredAt'),
        },
      },
    },
    errorsTruncated: { type: 'boolean' },
    correlationId: textLike('c-1'),
  },
};

export const EVENT_SCHEMA = {
  type: 'object',
  properties: {
    id: { type: 'string', format: 'uuid' },
    tenantId: textLike('demo'),
    eventId: textLike('sale-1001'),
    type: textLike('sale.completed'),
    subject: textLike('order-1001'),
    partitionKey: textLike('order-1001'),
    occurredAt: INSTANT,
    receivedAt: INSTANT,
    source: textLike('api'),
    schemaVersion: textLike('1.0.0'),
    specVersion: textLike('1.0'),
    hash: textLike('76a217fe795fb749329e718a310a2b557b7e13782e73a94ef33357dc353c9cb6'),
    correlationId: textLike('c-1'),
    payload: { description: 'As it was sent', example: { amount: 10.5 } },
    status: { type: 'string', enum: ['RECEIVED', 'PUBLISHED', 'COMPLETED', 'RETRYING', 'DLQ', 'DISCARDED'] },
    attempts: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          attemptNumber: { type: 'integer', example: 1 },
          dispatch: { type: 'integer', example: 1 },
          status: { type: 'string', enum: ['SUCCESS', 'RETRY', 'DLQ'] },
          reasonCode: textLike('PROCESSED'),
          errorMessage: maybe({ type: 'string' }),
          durationMs: { type: 'integer', example: 3 },
          createdAt: INSTANT,
        },
      },
    },
    nextAttemptAt: maybe(INSTANT),
    lastError: maybe({ type: 'string' }),
    publishedAt: maybe(INSTANT),
    completedAt: maybe(INSTANT),
    replays: {
      type: 'array',
      description: 'The replays that sent it again; only where there are any',
      items: {
        type: 'object',
        properties: {
          replayId: { type: 'string', format: 'uuid' },
          mode: { type: 'string', enum: ['reprocess', 'republish'] },
          at: INSTANT,
        },
      },
    },
  },
};
