import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { Reservation } from '../../access/limits/meter';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import type { RequestContext } from '../../event/prepare-event';
import { Problem } from '../../event/problems';
import { Metrics } from '../../observability/metrics';
import { traceparentOfRecord } from '../../observability/spans';
import { contentDecoder } from './content-decoder';
import { CurrentRules } from '../store/current-rules';
import { Intake } from '../store/intake';
import type { IngestResult } from '../store/store-batch';
import type { RecordFormat } from '../formats/stream-formats';
import type { StreamRecord } from '../formats/ndjson-records';
import { PrepareRecords, type PreparedRecord } from '../formats/prepare-records';
import type { PacedStream } from './paced-stream';
import { StreamSource } from './stream-source';

/** Bounds what a stream holds while it waits. The default of 16 chunks was a megabyte for each. */
const READ_AHEAD_CHUNKS = 2;

/** One request that carries many events. */
export interface StreamRequest {
  body: Readable;
  context: RequestContext;
  format: RecordFormat;
  /** Value of the Content-Encoding header. */
  encoding: string | undefined;
  /** Paces the stream to the limits of its tenant, and knows whether its sender may go on. */
  pace: PacedStream;
  /** Called for every record, in order, as soon as its result is final. */
  onResult: (record: number, result: IngestResult) => void;
}

/**
 * Processes one stream from its first byte to its last commit. Each stage holds at most a few chunks, and the last one
 * waits for the commit. The sender is therefore read only as fast as PostgreSQL stores and as the tenant's limits allow.
 */
@Injectable()
export class StreamIngest {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly rules: CurrentRules,
    private readonly intake: Intake,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Resolves with the number of decompressed bytes read and, if the stream broke off, with the problem. Everything that
   * was reported to `onResult` stays committed in either case (I14).
   */
  async ingest(request: StreamRequest): Promise<{ bytes: number; problem: Problem | undefined }> {
    const { body, format, encoding, pace } = request;
    const source = new StreamSource(body, contentDecoder(encoding), this.settings, pace);
    await pipeline(
      Readable.from(source.chunks(), { highWaterMark: READ_AHEAD_CHUNKS }),
      format.records(this.settings.MAX_EVENT_BYTES, source),
      new PrepareRecords((record) => this.prepare(record, request)),
      this.commit(request, source),
    );
    return { bytes: source.bytes, problem: source.brokenBy };
  }

  private prepare(record: StreamRecord, { context, format }: StreamRequest): PreparedRecord['made'] {
    const { idempotencyKey } = context;
    const ownKey = idempotencyKey === undefined ? undefined : `${idempotencyKey}#${record.number}`;
    const traceparent = traceparentOfRecord(context.traceparent, record.number);
    const ownContext = { ...context, traceparent, idempotencyKey: ownKey };
    return format.prepare(record.bytes, ownContext, this.rules.current(), record.receivedBytes);
  }

  private commit(request: StreamRequest, source: StreamSource): Writable {
    let stopped = false;
    return new Writable({
      objectMode: true,
      highWaterMark: 4,
      write: (records: PreparedRecord[], _encoding, done) => {
        if (stopped) return done(); // an earlier record could not be stored; later ones must not overtake it
        this.commitRecords(records, request).then(
          () => done(),
          (error: unknown) => {
            stopped = true;
            if (error instanceof Problem) source.breakOff(error);
            done(error instanceof Problem ? null : (error as Error));
          },
        );
      },
    });
  }

  /**
   * Stores records as fast as the limits of the tenant allow. Reports those before the first one that could not be
   * stored, then throws the reason.
   */
  private async commitRecords(records: PreparedRecord[], request: StreamRequest): Promise<void> {
    for (let rest = records; rest.length > 0;) {
      const reservation = await request.pace.reserve(rest.length);
      await this.commitReserved(rest.slice(0, reservation.points), reservation, request);
      rest = rest.slice(reservation.points);
    }
  }

  private async commitReserved(
    records: PreparedRecord[],
    reservation: Reservation,
    { pace, onResult }: StreamRequest,
  ): Promise<void> {
    const events = records.flatMap(({ made }) => ('prepared' in made ? [made.prepared] : []));
    const { results, failure } = await this.intake.acceptAll(events);
    let next = 0;
    let charged = 0;
    for (const { number, made } of records) {
      const result: IngestResult | undefined =
        'prepared' in made ? results[next++] : { kind: 'rejected', rejection: made.rejection };
      if (!result) {
        this.metrics.ingestTotal.inc({ source: 'stream', status: 'failed' });
        pace.giveBack(reservation, records.length - charged);
        throw failure;
      }
      if (result.kind !== 'duplicate') charged += 1;
      onResult(number, result);
      this.metrics.ingestTotal.inc({ source: 'stream', status: result.kind });
    }
    pace.giveBack(reservation, records.length - charged);
  }
}
