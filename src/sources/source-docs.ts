import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { ApiProblems } from '../http/docs/api-problem';

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
      schema: {},
      examples: { stripe: { summary: 'An event of Stripe', value: { id: 'evt_1', type: 'invoice.paid' } } },
    }),
    ApiOkResponse({
      description: 'What became of the request, or what the answer policy of the source says',
      content: {
        'application/json': {
          schema: { type: 'object' },
          example: { status: 'accepted', duplicate: false, id: '019…', eventId: 'evt_1', correlationId: 'c-1' },
        },
      },
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
