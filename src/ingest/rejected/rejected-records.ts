import type { FastifyRequest } from 'fastify';
import type { RecordRejection, RequestContext } from '../../event/prepare-event';
import type { KeepAttempt } from '../../rejections/keep-attempt';
import { isKeptCode } from '../../rejections/kept-codes';
import type { RejectionEndpoint, RejectionFormat } from '../../rejections/rejection';
import type { RejectionKeeper } from '../../rejections/rejection-keeper';
import type { PreparedRecord } from '../formats/prepare-records';
import { referredTo } from '../formats/xml-namespaces';
import type { IngestResult } from '../store/store-batch';
import { readableType } from './readable-type';
import { newRejection } from './rejected-record';
import { requestHeadJson } from './request-head';

/** The request that the records come in. */
export interface RecordsRequest {
  request: Pick<FastifyRequest, 'method' | 'url' | 'ip' | 'headers'>;
  endpoint: RejectionEndpoint;
  format: { keptAs: RejectionFormat };
  context: RequestContext;
}

/** Keeps the rejected records of one batch: those refused before their events are stored, and those in conflict. */
export class RejectedRecords {
  private readonly attempt: KeepAttempt;
  private readonly numbers: number[] = [];

  constructor(
    private readonly keeper: RejectionKeeper,
    private readonly of: RecordsRequest,
  ) {
    this.attempt = keeper.begin();
  }

  /** Begins to keep the records that are no events. */
  addRefused(records: readonly PreparedRecord[]): void {
    for (const one of records) if ('rejection' in one.made) this.add(one, one.made.rejection, null);
  }

  /** Begins to keep the records whose events were refused. `results` are those of the events, as far as they are known. */
  addConflicts(records: readonly PreparedRecord[], results: readonly IngestResult[]): void {
    let next = 0;
    for (const one of records) {
      if (!('prepared' in one.made)) continue;
      const result = results[next++];
      if (result?.kind === 'rejected') this.add(one, result.rejection, one.made.prepared.event.type);
    }
  }

  /** Returns the numbers of the records that are not known to be kept. */
  async notKept(): Promise<ReadonlySet<number>> {
    const kept = await this.keeper.outcome(this.attempt, this.of.endpoint);
    return new Set(this.numbers.filter((_, i) => kept[i] !== true));
  }

  private add({ record }: PreparedRecord, rejection: RecordRejection, type: string | null): void {
    if (!isKeptCode(rejection.code)) return;
    const { request, endpoint, format, context } = this.of;
    const { number } = record;
    const { idempotencyKey } = context;
    const { receivedText, whole } = record;
    const bytes = Buffer.from(receivedText ?? record.bytes); // a copy: the record would keep its whole chunk alive
    const namespaces = record.namespaces && referredTo(record.namespaces, receivedText ?? '');
    const requestJson = namespaces?.size
      ? requestHeadJson(request, { namespaces: Object.fromEntries(namespaces) })
      : null;
    const contentType = request.headers['content-type'] ?? null;
    this.numbers.push(number);
    this.attempt.add(
      newRejection(
        { number, rejection, bytes, whole, eventType: type ?? readableType(record.bytes) },
        { ...context, idempotencyKey: recordKey(idempotencyKey, number) },
        { endpoint, format: format.keptAs, contentType, requestJson },
      ),
    );
  }
}

/** Returns the idempotency key of a record of a request that has one. */
export function recordKey(ofRequest: string | undefined, record: number): string | undefined {
  return ofRequest === undefined ? undefined : `${ofRequest}#${record}`;
}
