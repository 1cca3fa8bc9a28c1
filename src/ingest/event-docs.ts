import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiOperation, ApiParam, ApiResponse, ApiSecurity, getSchemaPath } from '@nestjs/swagger';
import {
  ApiCloudEventHeaders,
  ApiContentEncodingHeader,
  ApiIdempotencyKeyHeaders,
  ApiTenantHeader,
  responseHeaders,
} from '../http/docs/api-headers';
import { Problem } from '../event/problems';
import { ApiProblems, problemExamples } from '../http/docs/api-problem';
import { ProblemResponse } from '../http/docs/problem.response';
import { CloudEvent, EventEnvelope, LegacyEventEnvelope } from './event.requests';
import {
  EventResponse,
  RecordLine,
  SingleEventResponse,
  StreamRejectedResponse,
  StreamResponse,
} from './event.responses';
import { EVENT_REQUEST, STREAM_FORMAT_NAMES, STREAM_REQUEST } from './request-bodies';
import { CONTENT_ENCODINGS } from './stream/content-decoder';

const LINES = {
  schema: { type: 'string' as const, description: 'A RecordLine for each record; `{ "summary": … }` is the last line' },
};
const EITHER = { oneOf: [{ $ref: getSchemaPath(SingleEventResponse) }, { $ref: getSchemaPath(StreamResponse) }] };

/** The refusals that every endpoint for events shares. */
const INGEST_PROBLEMS = [
  'malformed-body',
  'tenant-required',
  'tenant-invalid',
  'idempotency-key-invalid',
  'tenant-not-allowed',
  'not-acceptable',
  'request-timeout',
  'stream-too-large',
  'unsupported-media-type',
  'unsupported-content-encoding',
  'tenant-rate-limited',
  'overloaded',
  'storage-unavailable',
] as const;

/** POST /v1/events in the OpenAPI document. */
export function ApiIngestEvent(): MethodDecorator {
  return applyDecorators(
    ApiSecurity('tenant'),
    ApiExtraModels(EventEnvelope, LegacyEventEnvelope, CloudEvent, SingleEventResponse, StreamResponse),
    ApiOperation({
      operationId: 'ingestEvent',
      summary: 'Take one event, or a batch of CloudEvents. Responds after it is stored durably.',
      description:
        'One event gets a SingleEventResponse: 202 when it is new, 200 when it is a duplicate. A batch gets a StreamResponse: 202 or 207.',
      requestBody: EVENT_REQUEST,
    }),
    ApiTenantHeader(),
    ApiIdempotencyKeyHeaders('Names the event. Record n of a batch gets the key `<key>#<n>`'),
    ApiCloudEventHeaders(),
    ApiContentEncodingHeader('Of a batch', CONTENT_ENCODINGS),
    ApiResponse({
      status: 202,
      description: 'Stored',
      headers: responseHeaders('Location'),
      content: { 'application/json': { schema: EITHER } },
    }),
    ApiResponse({
      status: 200,
      description:
        'A duplicate, with the ids of the original. Or the lines of a batch, with `Accept: application/x-ndjson`',
      headers: responseHeaders('Location', 'Idempotent-Replayed'),
      content: {
        'application/json': { schema: { $ref: getSchemaPath(SingleEventResponse) } },
        'application/x-ndjson': LINES,
      },
    }),
    ApiResponse({ status: 207, description: 'Some records of a batch were rejected', type: StreamResponse }),
    ApiProblems(...INGEST_PROBLEMS, 'invalid-event', 'unsupported-character', 'event-id-conflict', 'event-too-large'),
    ApiRejected('idempotency-key-reused'),
  );
}

/** GET /v1/events/{id} in the OpenAPI document. */
export function ApiGetEvent(): MethodDecorator {
  return applyDecorators(
    ApiSecurity('tenant'),
    ApiSecurity('admin-token'),
    ApiOperation({
      operationId: 'getEvent',
      summary: 'Read an event, its status, and every attempt to process it.',
      description: 'With X-Tenant-Id, an event of that tenant. Without it, X-Admin-Token reads any event by its id.',
    }),
    ApiTenantHeader(),
    ApiParam({ name: 'id', description: 'The id from the response, or the eventId of the producer', type: String }),
    ApiResponse({ status: 200, description: 'The event', type: EventResponse }),
    ApiProblems(
      'tenant-required',
      'tenant-invalid',
      'admin-token-invalid',
      'tenant-not-allowed',
      'event-not-found',
      'admin-rate-limited',
      'storage-unavailable',
    ),
  );
}

/** POST /v1/ingest/stream in the OpenAPI document. */
export function ApiIngestStream(): MethodDecorator {
  return applyDecorators(
    ApiSecurity('tenant'),
    ApiExtraModels(RecordLine),
    ApiOperation({
      operationId: 'ingestStream',
      summary: `Take a stream of events, ${STREAM_FORMAT_NAMES}. Each record has its own result.`,
      description:
        'The response comes at the end of the stream. With `Accept: application/x-ndjson` it is one line per record, each sent as soon as the record is stored.',
      requestBody: STREAM_REQUEST,
    }),
    ApiTenantHeader(),
    ApiIdempotencyKeyHeaders('Record n gets the key `<key>#<n>`'),
    ApiContentEncodingHeader('Limits count decompressed bytes', CONTENT_ENCODINGS),
    ApiResponse({
      status: 200,
      description: 'For `Accept: application/x-ndjson`, whatever the results are',
      content: { 'application/x-ndjson': LINES },
    }),
    ApiResponse({ status: 202, description: 'Every record is accepted or a duplicate', type: StreamResponse }),
    ApiResponse({ status: 207, description: 'Some records were rejected; `errors` names them', type: StreamResponse }),
    ApiProblems(...INGEST_PROBLEMS),
    ApiRejected(),
  );
}

const REJECTED_EXAMPLE = {
  ...new Problem('stream-rejected', 'No record of the stream was stored.').toBody('c-1'),
  status: 'rejected',
  summary: { records: 1, accepted: 0, duplicates: 0, rejected: 1, bytes: 97 },
  errors: [{ record: 1, code: 'invalid-event', message: 'subject is required', pointer: '/subject' }],
  errorsTruncated: false,
};

/** 422. When every record was rejected, the problem is a StreamResponse too. */
function ApiRejected(...others: ['idempotency-key-reused'] | []): MethodDecorator {
  const rejected = { $ref: getSchemaPath(StreamRejectedResponse) };
  return applyDecorators(
    ApiExtraModels(StreamRejectedResponse),
    ApiResponse({
      status: 422,
      description: [...others, 'stream-rejected'].map((code) => `\`${code}\``).join(', '),
      content: {
        'application/problem+json': {
          schema: others.length > 0 ? { oneOf: [{ $ref: getSchemaPath(ProblemResponse) }, rejected] } : rejected,
          examples: { ...problemExamples(...others), 'stream-rejected': { value: REJECTED_EXAMPLE } },
        },
      },
    }),
  );
}
