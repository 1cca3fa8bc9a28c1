import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CLOUD_EVENT_TYPE, isBinaryCloudEvent } from '../../event/cloud-event/cloud-event';
import type { RecordRejection, RequestContext } from '../../event/prepare-event';
import { Problem } from '../../event/problems';
import { isKeptCode } from '../../rejections/kept-codes';
import { RejectionKeeper } from '../../rejections/rejection-keeper';
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

/** Keeps single events that are refused. */
@Injectable()
export class RejectedEvent {
  constructor(private readonly keeper: RejectionKeeper) {}

  /** Returns the problem to respond with. It says so when the event is not kept. */
  async problem(
    rejection: RecordRejection,
    request: FastifyRequest,
    body: RefusedBody,
    context: RequestContext,
  ): Promise<Problem> {
    const { code, message, errors } = rejection;
    const isAtHand = code !== 'event-too-large'; // the rest of a larger body is not read
    const isKept = !isKeptCode(code) || (isAtHand && (await this.keep(rejection, request, body, context)));
    const members = isKept ? {} : { members: { kept: false } };
    return new Problem(code, message.trim(), { ...(errors.length > 0 ? { errors } : {}), ...members });
  }

  private keep(
    rejection: RecordRejection,
    request: FastifyRequest,
    { bytes, whole, eventType }: RefusedBody,
    context: RequestContext,
  ): Promise<boolean> {
    const format = formatOfEvent(request);
    const typeOf = (): string | null =>
      format === 'cloudevent-binary' ? (request.headers['ce-type']?.toString() ?? null) : readableType(bytes);
    const record = { number: null, rejection, bytes, whole, eventType: eventType ?? (whole ? null : typeOf()) };
    const contentType = request.headers['content-type'] ?? null;
    const head = { endpoint: 'event' as const, format, contentType, requestJson: requestHeadJson(request) };
    return this.keeper.keepOne(newRejection(record, context, head));
  }
}
