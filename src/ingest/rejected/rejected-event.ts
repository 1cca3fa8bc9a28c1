import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CLOUD_EVENT_TYPE, isBinaryCloudEvent } from '../../event/cloud-event/cloud-event';
import type { RecordRejection, RequestContext } from '../../event/prepare-event';
import { Problem } from '../../event/problems';
import { isKeptCode } from '../../rejections/kept-codes';
import { RejectionKeeper } from '../../rejections/rejection-keeper';
import type { RejectionEndpoint } from '../../rejections/rejection';
import type { WholeRecord } from '../formats/long-record';
import { readableType } from './readable-type';
import { newRejection } from './rejected-record';
import { requestHeadJson } from './request-head';

type EventFormat = 'event' | 'cloudevent' | 'cloudevent-binary';

/** Returns how the body of a request with one event is read. */
export function formatOfEvent({ mediaType, headers }: Pick<FastifyRequest, 'mediaType' | 'headers'>): EventFormat {
  if (mediaType === CLOUD_EVENT_TYPE) return 'cloudevent'; // even if `ce-` headers repeat its attributes
  return isBinaryCloudEvent(headers) ? 'cloudevent-binary' : 'event';
}

/** The body of a request with one event that was refused. */
export interface RefusedBody {
  bytes: Buffer;
  whole?: WholeRecord;
  /** The type of its event, if it was prepared. */
  eventType?: string;
}

/** Keeps requests with one event that are refused. */
@Injectable()
export class RejectedEvent {
  constructor(private readonly keeper: RejectionKeeper) {}

  /**
   * Returns the problem to respond with. It says so when the event is not kept.
   * @param body undefined if it is not known
   */
  async problem(
    rejection: RecordRejection,
    request: FastifyRequest,
    body: RefusedBody | undefined,
    context: RequestContext,
  ): Promise<Problem> {
    const { code, message, errors } = rejection;
    const isKept = !isKeptCode(code) || (await this.keep(rejection, request, body, context));
    const members = isKept ? {} : { members: { kept: false } };
    return new Problem(code, message.trim(), { ...(errors.length > 0 ? { errors } : {}), ...members });
  }

  /** Returns whether the rejection is known to be kept. */
  async keep(
    rejection: RecordRejection,
    request: FastifyRequest,
    body: RefusedBody | undefined,
    context: RequestContext,
    endpoint: RejectionEndpoint = 'event',
  ): Promise<boolean> {
    if (!body) {
      this.keeper.notKept(1, endpoint);
      return false;
    }
    const format = formatOfEvent(request);
    const record = { number: null, rejection, ...body, eventType: body.eventType ?? typeOf(format, request, body) };
    const contentType = request.headers['content-type'] ?? null;
    const head = { endpoint, format, contentType, requestJson: requestHeadJson(request) };
    return this.keeper.keepOne(newRejection(record, context, head));
  }
}

/** Returns the type that a refused event names; null where it is not readable. */
function typeOf(format: EventFormat, { headers }: FastifyRequest, { bytes, whole }: RefusedBody): string | null {
  if (format === 'cloudevent-binary') return headers['ce-type']?.toString() ?? null;
  return whole ? null : readableType(bytes);
}
