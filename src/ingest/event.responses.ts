import { EVENT_STATUSES, type EventStatus } from '../event/event-status';
import { PROBLEM_CODES, type ProblemCode } from '../event/problems';
import { REPLAY_MODES, type ReplayMode } from '../event-state/dispatch-replayed.queries';
import {
  ApiCount,
  ApiEnum,
  ApiFlag,
  ApiId,
  ApiInstant,
  ApiJson,
  ApiList,
  ApiObject,
  ApiText,
} from '../http/docs/api-fields';
import { AttemptResponse } from '../http/docs/attempt.response';
import { DeliveryOfEventResponse } from '../delivery-state/delivery.response';
import { DeliveredEvent } from '../http/docs/delivered-event';
import { StreamCounts } from '../http/docs/problem.response';

const NOT_KEPT = 'False, and present, when the rejected record is not known to be kept as a rejection';

/** The response to one event that was stored, now or by an earlier request. */
export class SingleEventResponse {
  @ApiEnum('SingleEventStatus', ['accepted', 'duplicate']) status!: 'accepted' | 'duplicate';
  @ApiFlag(false) duplicate!: boolean;
  @ApiId() id!: string;
  @ApiText('sale-1001', { description: "The producer's id of the event; `id` if none was sent" }) eventId!: string;
  @ApiText('demo') tenantId!: string;
  @ApiText('sale.completed') type!: string;
  @ApiText('order-1001') subject!: string;
  @ApiText('order-1001') partitionKey!: string;
  @ApiText('76a217fe795fb749329e718a310a2b557b7e13782e73a94ef33357dc353c9cb6') hash!: string;
  @ApiText('c-1') correlationId!: string;
  @ApiInstant() receivedAt!: string;
}

class RecordError {
  @ApiCount(3, { minimum: 1 }) record!: number;
  @ApiEnum('ProblemCode', PROBLEM_CODES) code!: ProblemCode;
  @ApiText('/occurredAt must be a valid RFC 3339 date-time') message!: string;
  @ApiText('/occurredAt', { required: false }) pointer?: string;
  @ApiFlag(false, { required: false, description: NOT_KEPT }) kept?: boolean;
}

/** The response to a stream or batch that was read to its end. */
export class StreamResponse {
  @ApiEnum('StreamStatus', ['accepted', 'partial', 'rejected']) status!: 'accepted' | 'partial' | 'rejected';
  @ApiObject(StreamCounts) summary!: StreamCounts;
  @ApiList(RecordError, { description: 'Errors of the first 100 rejected records' }) errors!: RecordError[];
  @ApiFlag(false, { description: 'True when more than 100 records were rejected' }) errorsTruncated!: boolean;
  @ApiText('c-1') correlationId!: string;
}

/** The response when every record was rejected. `status` is a word, as in StreamResponse. */
export class StreamRejectedResponse extends StreamResponse {
  @ApiText('urn:streamforge:problem:stream-rejected') type!: string;
  @ApiText('Every record of the stream was rejected') title!: string;
  @ApiText('No record was accepted. See `errors`.') detail!: string;
  @ApiEnum('ProblemCode', PROBLEM_CODES) code!: ProblemCode;
  @ApiFlag(false) retryable!: boolean;
}

/** One line of an NDJSON response. The last line is `{ "summary": StreamCounts }` or a Problem. */
export class RecordLine {
  @ApiCount(1, { minimum: 1 }) record!: number;
  @ApiEnum('RecordStatus', ['accepted', 'duplicate', 'rejected']) status!: 'accepted' | 'duplicate' | 'rejected';
  @ApiId({ required: false }) id?: string;
  @ApiText('sale-1001', { required: false }) eventId?: string;
  @ApiEnum('ProblemCode', PROBLEM_CODES, { required: false }) code?: ProblemCode;
  @ApiText('/occurredAt must be a valid RFC 3339 date-time', { required: false }) message?: string;
  @ApiText('/occurredAt', { required: false }) pointer?: string;
  @ApiFlag(false, { required: false, description: NOT_KEPT }) kept?: boolean;
}

class EventReplay {
  @ApiId() replayId!: string;
  @ApiEnum('ReplayMode', REPLAY_MODES) mode!: ReplayMode;
  @ApiInstant({ description: 'When the replay dispatched the event' }) at!: string;
}

class OtherEventResponse {
  @ApiId() id!: string;
  @ApiText('/shop') source!: string;
}

class VerifiedResponse {
  @ApiText('shop payments', { description: 'Name of the source' }) source!: string;
  @ApiText('stripe') provider!: string;
  @ApiText('…x9Qa', { nullable: true, description: 'The last characters of the secret that was right' })
  keyHint!: string | null;
}

class RevisionOfEvent {
  @ApiCount(2, { minimum: 2 }) revision!: number;
  @ApiText('76a217fe795fb749329e718a310a2b557b7e13782e73a94ef33357dc353c9cb6', {
    description: 'SHA-256 of the content of the event with this payload, in hex',
  })
  hash!: string;
  @ApiText('the amount was in cents', { required: false, nullable: true, description: 'Left out for tenants' })
  note?: string | null;
  @ApiText('ada', { required: false, description: 'Name of the operator. Left out for tenants' }) actor?: string;
  @ApiInstant() createdAt!: string;
  @ApiInstant({ required: false, description: 'Present when an erasure has removed the payload' }) erasedAt?: string;
  @ApiJson({ amount: 10.5 }, { required: false, description: 'Left out for operators with the role `viewer`' })
  payload: unknown = undefined;
  @ApiJson([{ op: 'replace', path: '/amount', value: 10.5 }], {
    required: false,
    description:
      'What changes from the payload before it, as a JSON Patch of at most 500 operations. Left out as `payload` is',
  })
  diff: unknown = undefined;
  @ApiFlag(false, { required: false, description: 'True if there are more differences' }) diffTruncated?: boolean;
}

/** An event with its status, the attempts of its handlers and its deliveries. */
export class EventResponse extends DeliveredEvent {
  @ApiJson(
    { amount: 10.5 },
    { required: false, description: 'Any JSON value, exactly as sent. Left out for operators with the role `viewer`' },
  )
  override payload: unknown = undefined;
  @ApiFlag(true, {
    required: false,
    description:
      'True, and present, when `payload` is left out because the role of the operator does not show payloads',
  })
  payloadHidden?: boolean;
  @ApiEnum('EventStatus', EVENT_STATUSES) status!: EventStatus;
  @ApiList(AttemptResponse, { description: 'Attempts of the handlers, oldest first' }) attempts!: AttemptResponse[];
  @ApiList(DeliveryOfEventResponse, { description: 'The newest delivery to each destination' })
  deliveries!: DeliveryOfEventResponse[];
  @ApiInstant({ nullable: true }) nextAttemptAt!: string | null;
  @ApiText(undefined, { nullable: true }) lastError!: string | null;
  @ApiInstant({ nullable: true }) publishedAt!: string | null;
  @ApiInstant({ nullable: true }) completedAt!: string | null;
  @ApiObject(VerifiedResponse, {
    nullable: true,
    description: 'How the request was verified in which the event came through a source. Null if it was not verified',
  })
  verified!: VerifiedResponse | null;
  @ApiList(RevisionOfEvent, { description: 'Further payloads of the event, oldest first' })
  revisions!: RevisionOfEvent[];
  @ApiList(EventReplay, { required: false, description: 'The replays that dispatched the event again, if any' })
  replays?: EventReplay[];
  @ApiList(OtherEventResponse, {
    required: false,
    description:
      'When the event was found by its `eventId`: other events with that `eventId`, newest first, at most 100',
  })
  others?: OtherEventResponse[];
}
