import { applyDecorators } from '@nestjs/common';
import {
  ApiExtension,
  ApiExtraModels,
  ApiOperation,
  ApiParam,
  ApiQuery,
  ApiResponse,
  getSchemaPath,
} from '@nestjs/swagger';
import {
  ApiCloudEventHeaders,
  ApiContentEncodingHeader,
  ApiIdempotencyKeyHeaders,
  ApiTenantHeader,
  responseHeaders,
} from '../http/docs/api-headers';
import type { Scope } from '../access/identity/caller';
import { CALLER_PROBLEMS } from '../access/tenant-access';
import { Problem } from '../event/problems';
import { ApiProblems, problemExamples } from '../http/docs/api-problem';
import { ProblemResponse } from '../http/docs/problem.response';
import { ApiCredentials } from '../http/docs/security-schemes';
import { CloudEvent, EventEnvelope, LegacyEventEnvelope } from './event.requests';
import {
  EventResponse,
  RecordLine,
  SingleEventResponse,
  StreamRejectedResponse,
  StreamResponse,
} from './event.responses';
import { EVENT_REQUEST, STREAM_FORMAT_NAMES, STREAM_REQUEST } from './request-bodies';
import { CONTENT_ENCODINGS } from './decoding/content-decoder';

const LINES = {
  schema: {
    type: 'string' as const,
    description:
      'One RecordLine per record. The last line is `{ "summary": … }`, or a Problem when the stream breaks off',
  },
};
const EITHER = { oneOf: [{ $ref: getSchemaPath(SingleEventResponse) }, { $ref: getSchemaPath(StreamResponse) }] };

/** Problems of every endpoint that accepts events. */
const INGEST_PROBLEMS = [
  ...CALLER_PROBLEMS,
  'scope-missing',
  'tenant-suspended',
  'malformed-body',
  'idempotency-key-invalid',
  'not-acceptable',
  'request-timeout',
  'stream-too-large',
  'expansion-too-large',
  'unsupported-media-type',
  'unsupported-content-encoding',
  'too-many-streams',
  'overloaded',
] as const;

/** Documents POST /v1/events. */
export function ApiIngestEvent(): MethodDecorator {
  return applyDecorators(
    ApiCredentials('tenants'),
    ApiExtension('x-scope', 'ingest' satisfies Scope),
    ApiExtraModels(EventEnvelope, LegacyEventEnvelope, CloudEvent, SingleEventResponse, StreamResponse),
    ApiOperation({
      operationId: 'ingestEvent',
      summary:
        'Send one event, an array of events, or a batch of CloudEvents. The response comes after they are stored durably.',
      description:
        'One event gets a SingleEventResponse: 202 if it is new, 200 if it is a duplicate. An array or a batch has the limits of a stream and gets a StreamResponse: 202, or 207 if some records are rejected.',
      requestBody: EVENT_REQUEST,
    }),
    ApiTenantHeader(),
    ApiIdempotencyKeyHeaders(
      'Identifies the event within the tenant. Record n of an array or batch gets the key `<key>#<n>`',
    ),
    ApiCloudEventHeaders(),
    ApiContentEncodingHeader('Size limits apply to the decompressed bytes', CONTENT_ENCODINGS),
    ApiResponse({
      status: 202,
      description: 'Stored',
      headers: responseHeaders('Location'),
      content: { 'application/json': { schema: EITHER } },
    }),
    ApiResponse({
      status: 200,
      description:
        'A duplicate, with the ids of the original event. For an array or batch with `Accept: application/x-ndjson`: one line per record',
      headers: responseHeaders('Location', 'Idempotent-Replayed'),
      content: {
        'application/json': { schema: { $ref: getSchemaPath(SingleEventResponse) } },
        'application/x-ndjson': LINES,
      },
    }),
    ApiResponse({
      status: 207,
      description: 'Some records of an array or batch were rejected; `errors` lists them',
      type: StreamResponse,
    }),
    ApiProblems(...INGEST_PROBLEMS, 'invalid-event', 'unsupported-character', 'event-id-conflict', 'event-too-large'),
    ApiRejected('idempotency-key-reused'),
  );
}

/** Documents GET /v1/events/{id}. */
export function ApiGetEvent(): MethodDecorator {
  return applyDecorators(
    ApiCredentials('both'),
    ApiExtension('x-scope', 'read' satisfies Scope),
    ApiOperation({
      operationId: 'getEvent',
      summary: 'Retrieve an event with its status and every attempt to process it.',
      description:
        'When several events of the tenant have that `eventId`, returns the newest and names the `others`. A tenant gets its own events. An operator gets an event of any tenant that the operator may see, or of the tenant in X-Tenant-Id. If several tenants have an event with this `eventId`, the problem `event-id-ambiguous` names up to 100 of them in `tenants`. The role `viewer` gets the event without `payload`.',
    }),
    ApiTenantHeader(),
    ApiParam({
      name: 'id',
      description: "The `id` from the response to POST, or the producer's `eventId`",
      type: String,
    }),
    ApiQuery({
      name: 'source',
      required: false,
      type: String,
      description: 'Only an event with this `source`; two sources may use the same `eventId`',
    }),
    ApiResponse({ status: 200, description: 'The event', type: EventResponse }),
    ApiProblems(
      ...CALLER_PROBLEMS,
      'scope-missing',
      'admin-token-invalid',
      'event-not-found',
      'event-id-ambiguous',
      'admin-rate-limited',
      'issuer-unavailable',
    ),
  );
}

/** Documents POST /v1/ingest/stream. */
export function ApiIngestStream(): MethodDecorator {
  return applyDecorators(
    ApiCredentials('tenants'),
    ApiExtension('x-scope', 'ingest' satisfies Scope),
    ApiExtraModels(RecordLine),
    ApiOperation({
      operationId: 'ingestStream',
      summary: `Send a stream of events as ${STREAM_FORMAT_NAMES}. Each record gets its own result.`,
      description:
        'The response comes at the end of the stream. With `Accept: application/x-ndjson` it has one line per record, sent as soon as the record is stored. A stream that reaches the limit of its tenant is read more slowly.',
      requestBody: STREAM_REQUEST,
    }),
    ApiTenantHeader(),
    ApiIdempotencyKeyHeaders('Identifies the upload within the tenant. Record n gets the key `<key>#<n>`'),
    ApiContentEncodingHeader('The size limits apply to the decompressed bytes', CONTENT_ENCODINGS),
    ApiResponse({
      status: 200,
      description: 'With `Accept: application/x-ndjson`, whatever the results are',
      content: { 'application/x-ndjson': LINES },
    }),
    ApiResponse({ status: 202, description: 'Every record was accepted or is a duplicate', type: StreamResponse }),
    ApiResponse({ status: 207, description: 'Some records were rejected; `errors` lists them', type: StreamResponse }),
    ApiProblems(...INGEST_PROBLEMS),
    ApiRejected(),
  );
}

const REJECTED_EXAMPLE = {
  ...new Problem('stream-rejected', 'No record was accepted. See `errors`.').toBody('c-1'),
  status: 'rejected',
  summary: { records: 1, accepted: 0, duplicates: 0, rejected: 1, bytes: 97 },
  errors: [{ record: 1, code: 'invalid-event', message: 'subject is required', pointer: '/subject' }],
  errorsTruncated: false,
};

/** Documents 422. When every record was rejected, the problem is also a StreamResponse. */
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
