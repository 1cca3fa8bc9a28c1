import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Inject, Injectable } from '@nestjs/common';
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
import { StreamSource } from './stream-source';
import { TenantLimiter } from '../../access/tenant-limiter';

/** One request that carries many events. */
export interface StreamRequest {
  body: Readable;
  context: RequestContext;
  format: RecordFormat;
  /** Value of the Content-Encoding header. */
  encoding: string | undefined;
  /** Called for every record, in order, as soon as its result is final. */
  onResult: (record: number, result: IngestResult) => void;
}

/**
 * Processes one stream from its first byte to its last commit. Each stage holds at most a few chunks, and the last one
 * waits for the commit. The sender is therefore read only as fast as PostgreSQL stores.
 */
@Injectable()
export class StreamIngest {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly rules: CurrentRules,
    private readonly intake: Intake,
    private readonly limiter: TenantLimiter,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Resolves with the number of decompressed bytes read and, if the stream broke off, with the problem. Everything that
   * was reported to `onResult` stays committed in either case (I14).
   */
  async ingest(request: StreamRequest): Promise<{ bytes: number; problem: Problem | undefined }> {
    const { body, format, encoding } = request;
    const source = new StreamSource(body, contentDecoder(encoding), this.settings);
    await pipeline(
      Readable.from(source.chunks()),
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

  /** Reports the records before the first one that could not be decided, then throws the reason. */
  private async commitRecords(records: PreparedRecord[], { context, onResult }: StreamRequest): Promise<void> {
    const granted = await this.limiter.takeUpTo(context.tenantId, records.length);
    const allowed = records.slice(0, granted);
    const events = allowed.flatMap(({ made }) => ('prepared' in made ? [made.prepared] : []));
    const { results, failure } = await this.intake.acceptAll(events);
    let next = 0;
    for (const { number, made } of allowed) {
      const result: IngestResult | undefined =
        'prepared' in made ? results[next++] : { kind: 'rejected', rejection: made.rejection };
      if (!result) {
        this.metrics.ingestTotal.inc({ source: 'stream', status: 'failed' });
        throw failure;
      }
      onResult(number, result);
      this.metrics.ingestTotal.inc({ source: 'stream', status: result.kind });
    }
    if (granted < records.length) throw this.limiter.problem(context.tenantId);
  }
}
