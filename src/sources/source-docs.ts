import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { ApiEnum, ApiFlag, ApiId, ApiText } from '../http/docs/api-fields';
import { ApiProblems } from '../http/docs/api-problem';

class SourceAnswerResponse {
  @ApiEnum('SourceAnswer', ['accepted', 'duplicate', 'rejected']) status!: string;
  @ApiFlag(false, { required: false }) duplicate?: boolean;
  @ApiId({ required: false }) id?: string;
  @ApiText('evt_1', { required: false }) eventId?: string;
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
        'request whose signature is right and that cannot be mapped is kept as a rejection and answered with 200.',
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
