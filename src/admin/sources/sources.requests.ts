import { ArrayMaxSize, IsArray, IsBoolean, IsIn, IsInt, IsObject, Matches, Max, Min } from 'class-validator';
import { ApiAnyObject, ApiCount, ApiEnum, ApiFlag, ApiId, ApiList, ApiText } from '../../http/docs/api-fields';
import { OptionalBody } from '../../http/validation';
import type { Answers } from '../../sources/directory/answers';
import type { Mapping } from '../../sources/mapping/mapping';
import { SOURCE_LIMITS, SOURCE_STATUSES, type SourceStatus } from '../../sources/directory/source';
import type { Verification } from '../../sources/verification/verification';
import { IsCursor, IsListLimit } from '../endpoint/paging';
import { SilenceFields } from '../expectations/silence-fields';
import { IsPlainText, IsTenantId, IsUuid, MayBeLeftOut, MayBeNull, OneTenant } from '../endpoint/rules';

const MOST_NAME = 512;
const MOST_SECRET = 8_192;
/** No control characters or lone surrogates, as in the `source` of an event. */
const NAME = /^[^\p{Cc}\p{Cs}]+$/u;
const UID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const UID_MESSAGE = {
  message: 'uid must be 1 to 128 letters, digits, ".", "_", ":" or "-", the first a letter or digit',
};

const VERIFICATION_EXAMPLE = {
  scheme: 'hmac',
  algorithm: 'sha256',
  encoding: 'hex',
  header: 'x-signature',
  signed: '{header:x-time}.{body}',
  timestamp: { header: 'x-time', toleranceSeconds: 300 },
};

/** What a request may change of a source. */
class SourceRuleFields extends SilenceFields {
  @ApiAnyObject(VERIFICATION_EXAMPLE, {
    required: false,
    nullable: true,
    description:
      'How requests are verified: `scheme` is hmac, token, basic, ed25519, ecdsa, rsa, jwt or none, and each scheme has ' +
      'fields of its own. Null: as the preset says. Required for the provider `custom`',
  })
  @MayBeNull()
  @IsObject()
  verification?: Verification | null;

  @ApiList(String, {
    required: false,
    example: ['whsec_…'],
    description:
      'The secrets that requests may be signed with, the newest first. No response contains them. A source without a ' +
      'secret answers with 503 until it has one, because most providers show theirs only once they know the URL',
    maxItems: SOURCE_LIMITS.secrets,
  })
  @MayBeLeftOut()
  @IsArray()
  @ArrayMaxSize(SOURCE_LIMITS.secrets)
  @IsPlainText(MOST_SECRET, { each: true })
  secrets?: string[];

  @ApiAnyObject(
    { eventType: '/type', subject: ['/customer/id', '/id'], eventId: '/id' },
    {
      required: false,
      description:
        'Where the fields of an event are found: JSON Pointers, JSONata, `{ "template": "…" }`, or lists of alternatives. ' +
        'A field that is left out is mapped as the preset says',
    },
  )
  @MayBeLeftOut()
  @IsObject()
  mapping?: Mapping;

  @ApiAnyObject(
    { accepted: { status: 200, body: 'OK', contentType: 'text/plain' } },
    {
      required: false,
      description:
        'The response to `accepted`, `duplicate` and `rejected` requests, each `{ status, body?, contentType? }`',
    },
  )
  @MayBeLeftOut()
  @IsObject()
  answers?: Answers;

  @ApiAnyObject(
    { type: { $startsWith: 'invoice.' } },
    {
      required: false,
      nullable: true,
      description:
        'Filter over the event. What does not pass is answered as accepted and not stored. Null: everything passes',
    },
  )
  @MayBeNull()
  @IsObject()
  accept?: Record<string, unknown> | null;

  @ApiText('slack', {
    required: false,
    nullable: true,
    description: 'How the provider checks the URL before it sends events, for a provider without a preset',
    minLength: 1,
    maxLength: 100,
  })
  @MayBeNull()
  @IsPlainText(100)
  handshake?: string | null;

  @ApiFlag(false, { required: false, description: 'Must be true for the scheme `none`' })
  @MayBeLeftOut()
  @IsBoolean()
  allowUnverified?: boolean;

  @ApiEnum('SourceStatus', SOURCE_STATUSES, {
    required: false,
    description: 'The requests of a paused source are answered with 503, so that its provider sends them again later',
  })
  @MayBeLeftOut()
  @IsIn(SOURCE_STATUSES)
  status?: SourceStatus;
}

/** The fields of a source as a whole. */
export class SourceByUidRequest extends SourceRuleFields {
  @ApiText('demo')
  @IsTenantId()
  tenantId!: string;

  @ApiText('shop payments', { description: 'The `source` of the events', minLength: 1, maxLength: MOST_NAME })
  @Matches(NAME, { message: 'name must not contain control characters or lone surrogates' })
  @IsPlainText(MOST_NAME)
  name!: string;

  @ApiText('stripe', {
    description: 'Id of a preset of GET /v1/admin/source-providers, or `custom`',
    minLength: 1,
    maxLength: 100,
  })
  @IsPlainText(100)
  provider!: string;
}

export class SourceRequest extends SourceByUidRequest {
  @ApiText('payments', {
    required: false,
    description: 'A name of your own, unique within the tenant. PUT /v1/admin/sources/uid/{uid} finds the source by it',
    minLength: 1,
    maxLength: 128,
  })
  @MayBeLeftOut()
  @Matches(UID, UID_MESSAGE)
  uid?: string;
}

/** Omitted fields keep their values. Tenant, provider and uid cannot be changed. */
export class SourceChangeRequest extends SourceRuleFields {
  @ApiText('shop payments', { required: false, minLength: 1, maxLength: MOST_NAME })
  @MayBeLeftOut()
  @Matches(NAME, { message: 'name must not contain control characters or lone surrogates' })
  @IsPlainText(MOST_NAME)
  name?: string;
}

export class SourcesQuery {
  @OneTenant('Only sources of this tenant')
  tenantId?: string;

  @IsListLimit('Maximum number of items in the response')
  limit = 50;

  @IsCursor()
  cursor?: string;
}

export class SourcePath {
  @ApiId()
  @IsUuid()
  id!: string;
}

export class SourceUidPath {
  @ApiText('payments')
  @Matches(UID, UID_MESSAGE)
  uid!: string;
}

const OVERLAP_SECONDS = { max: 30 * 24 * 3_600, default: 86_400 };

@OptionalBody()
export class RotateTokenRequest {
  @ApiCount(OVERLAP_SECONDS.default, {
    required: false,
    description: `Seconds for which the old URL works as well; 0 ends it at once. Default: ${OVERLAP_SECONDS.default}`,
    maximum: OVERLAP_SECONDS.max,
  })
  @MayBeLeftOut()
  @IsInt()
  @Min(0)
  @Max(OVERLAP_SECONDS.max)
  overlapSeconds = OVERLAP_SECONDS.default;

  @ApiFlag(false, {
    required: false,
    description:
      'The newest URL never reached the producer, because the response that made it was lost. It ends at once, and the URL before it works until its own end. Without effect if only one URL works',
  })
  @MayBeLeftOut()
  @IsBoolean()
  keepPrevious = false;
}

export class RotateSourceSecretRequest {
  @ApiText('whsec_…', { description: 'The new secret', minLength: 1, maxLength: MOST_SECRET })
  @IsPlainText(MOST_SECRET)
  secret!: string;

  @ApiCount(OVERLAP_SECONDS.default, {
    required: false,
    description: `Seconds for which the old secret counts as well; 0 ends it at once. Default: ${OVERLAP_SECONDS.default}`,
    maximum: OVERLAP_SECONDS.max,
  })
  @MayBeLeftOut()
  @IsInt()
  @Min(0)
  @Max(OVERLAP_SECONDS.max)
  overlapSeconds = OVERLAP_SECONDS.default;
}
