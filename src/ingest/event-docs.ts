import { ENVELOPE_SCHEMA } from '../event/envelope-schema';

/** What the OpenAPI document says about bodies that Nest cannot derive, with examples that work as they stand. */
const EXAMPLE = {
  eventType: 'sale.completed',
  subject: 'order-1001',
  payload: { amount: 10.5 },
};
const CLOUD_EVENT = {
  specversion: '1.0',
  id: 'sale-1002',
  source: '/shop',
  type: 'sale.completed',
  subject: 'order-1002',
  data: { amount: 7 },
};
const CLOUD_EVENT_SCHEMA = { type: 'object' as const, description: 'A CloudEvent 1.0', additionalProperties: true };

export const EVENT_REQUEST = {
  required: true,
  content: {
    'application/json': { schema: ENVELOPE_SCHEMA as unknown as Record<string, never>, example: EXAMPLE },
    'application/cloudevents+json': { schema: CLOUD_EVENT_SCHEMA, example: CLOUD_EVENT },
    'application/cloudevents-batch+json': {
      schema: { type: 'array' as const, items: CLOUD_EVENT_SCHEMA },
      example: [CLOUD_EVENT],
    },
  },
};

const TEXT = { type: 'string' as const };
export const STREAM_REQUEST = {
  required: true,
  content: {
    'application/x-ndjson': {
      schema: TEXT,
      example: `${JSON.stringify({ ...EXAMPLE, subject: 'order-1' })}\n${JSON.stringify({ ...EXAMPLE, subject: 'order-2' })}\n`,
    },
    'application/xml': {
      schema: TEXT,
      example:
        '<events><event><eventType>sale.completed</eventType><subject>order-3</subject><payload>{"amount":10.10}</payload></event></events>',
    },
  },
};

const INSTANT = { type: 'string', format: 'date-time', example: '2026-11-24T04:08:57.544Z' };
const text = (example: string) => ({ type: 'string', example });
const maybe = (schema: object) => ({ ...schema, nullable: true });

export const ACCEPTED_SCHEMA = {
  type: 'object',
  properties: {
    status: { type: 'string', enum: ['accepted', 'duplicate'] },
    duplicate: { type: 'boolean' },
    id: { type: 'string', format: 'uuid' },
    eventId: text('sale-1001'),
    tenantId: text('demo'),
    type: text('sale.completed'),
    subject: text('order-1001'),
    partitionKey: text('order-1001'),
    hash: text('76a217fe795fb749329e718a310a2b557b7e13782e73a94ef33357dc353c9cb6'),
    correlationId: text('c-1'),
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
          code: text('invalid-event'),
          message: text('/occurredAt must be an RFC 3339 date-time'),
          pointer: text('/occurredAt'),
        },
      },
    },
    errorsTruncated: { type: 'boolean' },
    correlationId: text('c-1'),
  },
};

export const EVENT_SCHEMA = {
  type: 'object',
  properties: {
    id: { type: 'string', format: 'uuid' },
    tenantId: text('demo'),
    eventId: text('sale-1001'),
    type: text('sale.completed'),
    subject: text('order-1001'),
    partitionKey: text('order-1001'),
    occurredAt: INSTANT,
    receivedAt: INSTANT,
    source: text('api'),
    schemaVersion: text('1.0.0'),
    specVersion: text('1.0'),
    hash: text('76a217fe795fb749329e718a310a2b557b7e13782e73a94ef33357dc353c9cb6'),
    correlationId: text('c-1'),
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
          reasonCode: text('PROCESSED'),
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
