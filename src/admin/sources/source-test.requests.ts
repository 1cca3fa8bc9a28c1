import { IsBase64, IsIn, IsObject, Matches } from 'class-validator';
import { ApiAnyObject, ApiEnum, ApiInstant, ApiText } from '../../http/docs/api-fields';
import type { Mapping } from '../../sources/mapping/mapping';
import { IsInstant, IsPlainText, MayBeLeftOut } from '../endpoint/rules';

const METHODS = ['POST', 'PUT', 'GET', 'OPTIONS'] as const;
/** A request to an admin endpoint is at most MAX_EVENT_BYTES, which is 256 KiB by default. */
const MOST_BODY = 200_000;

/** A request as a provider would send it. */
export class SourceTestRequest {
  @ApiEnum('SourceMethod', METHODS, { required: false, description: 'Default: POST' })
  @MayBeLeftOut()
  @IsIn(METHODS)
  method: (typeof METHODS)[number] = 'POST';

  @ApiText('', { required: false, description: 'What follows the token in the path', maxLength: 2_000 })
  @MayBeLeftOut()
  @Matches(/^(?:\/[^?#]*)?$/, { message: 'path must be empty or begin with a slash, without a query' })
  @IsPlainText(2_000, { min: 0 })
  path = '';

  @ApiText(undefined, {
    required: false,
    description: 'The whole URL that the provider called, for providers that sign it',
    minLength: 1,
    maxLength: 4_000,
  })
  @MayBeLeftOut()
  @IsPlainText(4_000)
  url?: string;

  @ApiAnyObject({ attempt: '1' }, { required: false, description: 'Texts, or lists of texts' })
  @MayBeLeftOut()
  @IsObject()
  query: Record<string, unknown> = {};

  @ApiAnyObject({ 'content-type': 'application/json', 'x-signature': '…' }, { required: false })
  @MayBeLeftOut()
  @IsObject()
  headers: Record<string, unknown> = {};

  @ApiText('{"id":"evt_1"}', { required: false, description: 'The body, exactly', maxLength: MOST_BODY })
  @MayBeLeftOut()
  @IsPlainText(MOST_BODY, { min: 0 })
  body?: string;

  @ApiText(undefined, { required: false, description: 'The body in base64, in place of `body`', maxLength: MOST_BODY })
  @MayBeLeftOut()
  @IsBase64()
  @IsPlainText(MOST_BODY, { min: 0 })
  bodyBase64?: string;

  @ApiText('203.0.113.7', { required: false, description: 'Where it comes from', minLength: 1, maxLength: 100 })
  @MayBeLeftOut()
  @IsPlainText(100)
  address = '127.0.0.1';

  @ApiAnyObject(
    { eventType: '/type' },
    {
      required: false,
      description: 'A mapping to try in place of that of the source. Needs the role `operator`',
    },
  )
  @MayBeLeftOut()
  @IsObject()
  mapping?: Mapping;

  @ApiInstant({ required: false, description: 'When it comes. Default: now' })
  @MayBeLeftOut()
  @IsInstant()
  receivedAt?: string;
}
