import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { ApiCount, ApiEnum, ApiFlag, ApiId, ApiList, ApiObject, ApiText } from '../http/docs/api-fields';
import { ApiProblems } from '../http/docs/api-problem';

class SourceErrorResponse {
  @ApiCount(2, { required: false, description: 'Number of the record, where the source splits requests into records' })
  record?: number;
  @ApiText('invalid-event') code!: string;
  @ApiText('mapping.subject: /till finds nothing') message!: string;
  @ApiText('/subject', { nullable: true, description: 'JSON Pointer to the field of the event' })
  pointer!: string | null;
}

class SourceSummaryResponse {
  @ApiCount(2) records!: number;
  @ApiCount(1) accepted!: number;
  @ApiCount(0) duplicates!: number;
  @ApiCount(0, { description: 'Records that the filter `accept` left out' }) filtered!: number;
  @ApiCount(1) rejected!: number;
}

class SourceAnswerResponse {
  @ApiEnum('SourceAnswer', ['accepted', 'duplicate', 'rejected']) status!: string;
  @ApiFlag(false, { required: false }) duplicate?: boolean;
  @ApiId({ required: false }) id?: string;
  @ApiText('evt_1', { required: false }) eventId?: string;
  @ApiId({ required: false, description: 'Of a rejected request that is one record' }) rejectionId?: string;
  @ApiObject(SourceSummaryResponse, {
    required: false,
    description: 'Where the source splits requests into records: what became of them',
  })
  summary?: SourceSummaryResponse;
  @ApiList(SourceErrorResponse, { required: false, description: 'Why records were rejected; the first 20' })
  errors?: SourceErrorResponse[];
  @ApiFlag(false, { required: false, description: 'Beside `summary`: whether `errors` lacks some' })
  errorsTruncated?: boolean;
  @ApiText('c-1') correlationId!: string;
}

/** Documents POST /in/{token}. The other methods, and paths below it, are the same. */
export function ApiSourceRequest(): MethodDecorator {
  return applyDecorators(
    ApiOperation({
      operationId: 'sendToSource',
      summary: 'Send a request to a source, as its provider does.',
      description:
        'The token in the URL is the only credential of a tenant. PUT, GET and OPTIONS are accepted as well, and so is ' +
        'any path after the token. The response follows the answer policy of the source; below is the default one. A ' +
        'request with a valid signature that cannot be mapped is kept as a rejection and answered with 200.',
    }),
    ApiParam({ name: 'token', description: 'The last part of the `url` of the source', example: 'Zk3…' }),
    ApiBody({
      required: false,
      description: 'Any body. JSON, forms, XML and text become a payload; other bytes are kept in base64',
      schema: { $ref: '#/components/schemas/JsonValue' },
      examples: { stripe: { summary: 'An event of Stripe', value: { id: 'evt_1', type: 'invoice.paid' } } },
    }),
    ApiOkResponse({
      description: 'What became of the request, or what the answer policy of the source says',
      type: SourceAnswerResponse,
    }),
    ApiProblems(
      'malformed-body',
      'signature-missing',
      'signature-invalid',
      'signature-expired',
      'address-not-allowed',
      'source-not-found',
      'request-timeout',
      'event-too-large',
      'unsupported-content-encoding',
      'tenant-rate-limited',
      'source-unavailable',
      'overloaded',
      'provider-unavailable',
      'storage-unavailable',
    ),
  );
}
