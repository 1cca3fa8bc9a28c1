import {
  ApiAnyObject,
  ApiCount,
  ApiEnum,
  ApiFlag,
  ApiId,
  ApiInstant,
  ApiList,
  ApiNextCursor,
  ApiObject,
  ApiText,
} from '../../http/docs/api-fields';
import { SilenceResponse } from '../expectations/silence-fields';
import { KeptRequestResponse } from '../../http/docs/kept-request.response';
import type { Answers } from '../../sources/directory/answers';
import { SAMPLE_RESULTS, type SampleResult } from '../../sources/inspector/request-sample';
import type { Mapping } from '../../sources/mapping/mapping';
import { SOURCE_STATUSES, type SourceStatus } from '../../sources/directory/source';
import type { Verification } from '../../sources/verification/verification';

export class SourceResponse extends SilenceResponse {
  @ApiId() id!: string;
  @ApiText('demo') tenantId!: string;
  @ApiText('shop payments', { description: 'The `source` of the events' }) name!: string;
  @ApiText('payments', { nullable: true }) uid!: string | null;
  @ApiText('stripe', { description: 'Id of a preset, or `custom`' }) provider!: string;
  @ApiAnyObject({ scheme: 'basic' }, { nullable: true, description: 'Null: as the preset says' })
  verification!: Verification | null;
  @ApiAnyObject({ subject: '/customer/id' }, { description: 'What is left out is mapped as the preset says' })
  mapping!: Mapping;
  @ApiAnyObject({ accepted: { status: 200, body: 'OK' } }) answers!: Answers;
  @ApiAnyObject({ type: { $startsWith: 'invoice.' } }, { nullable: true }) accept!: object | null;
  @ApiText('slack', { nullable: true }) handshake!: string | null;
  @ApiFlag(false) allowUnverified!: boolean;
  @ApiEnum('SourceStatus', SOURCE_STATUSES) status!: SourceStatus;
  @ApiText('https://hooks.example.com/in/…k3Zq', {
    description: 'The URL without its token, apart from the last characters, to tell URLs apart',
  })
  urlHint!: string;
  @ApiInstant({ nullable: true, description: 'Until this time, the previous URL works as well' })
  previousUrlUntil!: string | null;
  @ApiList(String, {
    example: ['…x9Qa'],
    description: 'The last characters of each secret, the newest first; `…` for one that is short or is a key',
  })
  secretHints!: string[];
  @ApiInstant({ nullable: true, description: 'Until this time, the second secret counts. Null: without an end' })
  secondSecretUntil!: string | null;
  @ApiFlag(false, {
    description: 'True while requests cannot be verified, because the source has no secret. They are answered with 503',
  })
  needsSecret!: boolean;
  @ApiInstant() createdAt!: string;
  @ApiInstant() updatedAt!: string;
}

export class SourceWithUrlResponse extends SourceResponse {
  @ApiText('https://hooks.example.com/in/Zk3…', {
    description: 'Where the provider sends its requests. The URL is a credential; no other response contains it',
  })
  url!: string;
}

export class SourcesPage {
  @ApiList(SourceResponse, { description: 'Sources, newest first' }) sources!: SourceResponse[];
  @ApiNextCursor() nextCursor!: string | null;
}

class RequestSampleResponse {
  @ApiId() id!: string;
  @ApiEnum('SourceRequestResult', SAMPLE_RESULTS) result!: SampleResult;
  @ApiCount(200, { description: 'HTTP status of the response' }) status!: number;
  @ApiText('signature-invalid', { nullable: true, description: 'Code of the problem or of the first rejection' })
  code!: string | null;
  @ApiText(undefined, { nullable: true, description: 'Why the request was refused' }) reason!: string | null;
  @ApiAnyObject(
    { missing: 'header:x-signature' },
    { description: 'Why a signature was refused: `signedText`, `clockDifferenceSeconds`, `missing`, `secretsTried`' },
  )
  facts!: object;
  @ApiText('…x9Qa', { nullable: true, description: 'The secret that was right' }) keyHint!: string | null;
  @ApiList(String, { example: [], description: 'Ids of the first events' }) eventIds!: string[];
  @ApiList(String, { example: [], description: 'Ids of the first rejections' }) rejectionIds!: string[];
  @ApiCount(1, { description: 'Number of records in the request' }) records!: number;
  @ApiText('c-1') correlationId!: string;
  @ApiCount(3) durationMs!: number;
  @ApiObject(KeptRequestResponse) request!: KeptRequestResponse;
  @ApiCount(112) bodyBytes!: number;
  @ApiText('{"id":"evt_1"}', { nullable: true, description: 'The first 2 KB of the body, if they are text' })
  bodyText!: string | null;
  @ApiText(undefined, { nullable: true, description: 'The same in base64, if they are not' }) bodyBase64!:
    string | null;
}

export class SourceRequestsResponse {
  @ApiText('demo') tenantId!: string;
  @ApiList(RequestSampleResponse, { description: 'The last 50 requests, newest first' })
  requests!: RequestSampleResponse[];
  @ApiNextCursor('Always null: the list has one page') nextCursor!: null;
}
