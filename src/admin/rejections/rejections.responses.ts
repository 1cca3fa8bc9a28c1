import { PROBLEM_CODES, type ProblemCode } from '../../event/problems';
import {
  ApiCount,
  ApiEnum,
  ApiFlag,
  ApiId,
  ApiInstant,
  ApiJson,
  ApiList,
  ApiNextCursor,
  ApiObject,
  ApiText,
} from '../../http/docs/api-fields';
import {
  REJECTION_ENDPOINTS,
  REJECTION_FORMATS,
  REJECTION_STATUSES,
  type RejectionEndpoint,
  type RejectionFormat,
  type RejectionStatus,
} from '../../rejections/rejection';
import { KeptRequestResponse } from '../../http/docs/kept-request.response';

/** A rejection in a list, without its bytes. */
export class ListedRejection {
  @ApiId() id!: string;
  @ApiText('demo') tenantId!: string;
  @ApiId({ nullable: true }) sourceId!: string | null;
  @ApiEnum('RejectionEndpoint', REJECTION_ENDPOINTS, { description: 'Where it was sent to' })
  endpoint!: RejectionEndpoint;
  @ApiEnum('RejectionFormat', REJECTION_FORMATS, { description: 'How its bytes are read again' })
  format!: RejectionFormat;
  @ApiEnum('ProblemCode', PROBLEM_CODES) code!: ProblemCode;
  @ApiText('/subject', { nullable: true, description: 'JSON Pointer to the first invalid place' })
  pointer!: string | null;
  @ApiText('mapping.subject: /id finds nothing') message!: string;
  @ApiText('sale.completed', { nullable: true, description: 'Type of the event; null where it cannot be read' })
  eventType!: string | null;
  @ApiCount(3, { nullable: true, description: 'Number of the record in its batch, from 1; null for a whole request' })
  recordNumber!: number | null;
  @ApiText(undefined, { nullable: true, description: 'Idempotency key of the record' }) requestKey!: string | null;
  @ApiId({ nullable: true, description: 'The event that has the same key or id and other content' })
  conflictsWith!: string | null;
  @ApiText('c-1') correlationId!: string;
  @ApiInstant() receivedAt!: string;
  @ApiText('application/json', { nullable: true }) contentType!: string | null;
  @ApiCount(112, { description: 'Size of the whole body or record in bytes' }) sizeBytes!: number;
  @ApiEnum('RejectionStatus', REJECTION_STATUSES) status!: RejectionStatus;
  @ApiInstant({ nullable: true, description: 'When it was resubmitted or discarded' }) settledAt!: string | null;
  @ApiId({ nullable: true, description: 'The event that it became, or whose duplicate it is' })
  eventId!: string | null;
  @ApiFlag(false, {
    nullable: true,
    description:
      'True if the event `eventId` was made from another record. Null without an event, and for what the release before ' +
      'has resubmitted',
  })
  duplicate!: boolean | null;
  @ApiInstant({ nullable: true, description: 'When its bytes were erased' }) erasedAt!: string | null;
}

export class RejectionsPage {
  @ApiList(ListedRejection, { description: 'Rejections, newest first' }) rejections!: ListedRejection[];
  @ApiNextCursor() nextCursor!: string | null;
}

class RejectionReason {
  @ApiText('7a3c0f2f5f4b3c1d8e9a6b5c4d3e2f10', { description: 'Selects these rejections as `group` of a filter' })
  id!: string;
  @ApiEnum('ProblemCode', PROBLEM_CODES) code!: string;
  @ApiId({ nullable: true, description: 'The source that refused; null for other endpoints' }) sourceId!: string | null;
  @ApiText('/subject', { nullable: true, description: 'Of the newest: JSON Pointer to the first invalid place' })
  pointer!: string | null;
  @ApiText('mapping.subject: /id finds nothing', { description: 'Message of the newest' }) message!: string;
  @ApiCount(3) count!: number;
  @ApiCount(2, { description: 'Number of them that came within the last hour' }) lastHour!: number;
  @ApiCount(1, { description: 'Number of them that came in the hour before' }) hourBefore!: number;
  @ApiInstant() firstSeenAt!: string;
  @ApiInstant() lastSeenAt!: string;
  @ApiList(String, { description: 'Ids of up to 5 of the newest' }) sampleIds!: string[];
}

export class RejectionReasonsResponse {
  @ApiList(RejectionReason) reasons!: RejectionReason[];
  @ApiCount(3, { description: 'Sum of the counts of all groups, including those beyond `limit`' }) total!: number;
  @ApiFlag(false, { description: 'True when the count stopped at the newest 20000 rejections' }) capped!: boolean;
}

/** An operation of a JSON Patch (RFC 6902). */
export class PatchOperationResponse {
  @ApiEnum('DiffOperation', ['add', 'remove', 'replace']) op!: string;
  @ApiText('/payload/total', { description: 'JSON Pointer' }) path!: string;
  @ApiJson(10.5, { required: false }) value?: unknown = undefined;
}

export class RejectionResponse extends ListedRejection {
  @ApiText('{"type":"sale"}', { nullable: true, description: 'What was refused, if it is UTF-8' })
  rawText!: string | null;
  @ApiText(undefined, { nullable: true, description: 'The same in base64, if it is not' }) rawBase64!: string | null;
  @ApiFlag(false, { description: 'True if only the first bytes are kept' }) truncated!: boolean;
  @ApiText('9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', {
    description: 'SHA-256 of the whole body or record, in hex',
  })
  digest!: string;
  @ApiObject(KeptRequestResponse, { nullable: true, description: 'The request that it came in' })
  request!: KeptRequestResponse | null;
  @ApiList(PatchOperationResponse, {
    nullable: true,
    description:
      'JSON Patch (RFC 6902) from the content of the event `conflictsWith` to that of the record. Null without a ' +
      'conflict, or if one of them is not readable any more',
  })
  diff!: PatchOperationResponse[] | null;
  @ApiFlag(false, { description: 'True if `diff` has only the first 500 operations' }) diffTruncated!: boolean;
}
