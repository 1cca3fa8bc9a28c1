import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { prepareEvent, type RequestContext } from '../event/prepare-event';
import { Problem } from '../event/problems';
import { Metrics } from '../observability/metrics';
import { Intake } from './intake';
import type { Outcome } from './outcome';
import { bodyChunks } from './request-body';
import { ByteLimit, NdjsonRecords, PrepareRecords, type PreparedRecord, type StreamRecord } from './stream-records';
import { StreamSummary } from './stream-summary';

/**
 * One stream from its first byte to its summary. Every stage holds a few chunks at most and the last one waits for the
 * commit, so the sender is read only as fast as PostgreSQL stores: that is the whole backpressure.
 */
@Injectable()
export class StreamIngest {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    @Inject(Intake) private readonly intake: Intake,
    @Inject(Metrics) private readonly metrics: Metrics,
  ) {}

  /** @throws Problem with the `summary` of what was committed, when the stream breaks off. */
  async ingest(body: Readable, context: RequestContext): Promise<{ summary: StreamSummary; bytes: number }> {
    const summary = new StreamSummary();
    const limit = new ByteLimit(this.settings.STREAM_MAX_BYTES);
    try {
      await pipeline(
        bodyChunks(body, this.settings.REQUEST_STALL_TIMEOUT_MS),
        limit,
        new NdjsonRecords(this.settings.MAX_EVENT_BYTES),
        new PrepareRecords((record) => this.prepare(record, context)),
        this.commit(summary),
      );
    } catch (error) {
      throw brokenOff(error, summary, limit.bytes);
    }
    return { summary, bytes: limit.bytes };
  }

  private prepare(record: StreamRecord, context: RequestContext): PreparedRecord['made'] {
    const { idempotencyKey } = context;
    const ownKey = idempotencyKey === undefined ? undefined : `${idempotencyKey}#${record.number}`;
    return prepareEvent(record.bytes, { ...context, idempotencyKey: ownKey }, this.settings);
  }

  private commit(summary: StreamSummary): Writable {
    return new Writable({
      objectMode: true,
      highWaterMark: 4,
      write: (records: PreparedRecord[], _encoding, done) => {
        this.commitRecords(records, summary).then(() => done(), done);
      },
    });
  }

  private async commitRecords(records: PreparedRecord[], summary: StreamSummary): Promise<void> {
    const events = records.flatMap(({ made }) => ('prepared' in made ? [made.prepared] : []));
    const outcomes = await this.intake.acceptAll(events);
    let next = 0;
    for (const { number, made } of records) {
      const outcome: Outcome =
        'prepared' in made ? (outcomes[next++] as Outcome) : { kind: 'rejected', rejection: made.rejection };
      summary.add(number, outcome);
      this.metrics.ingestTotal.inc({ source: 'stream', status: outcome.kind });
    }
  }
}

/** I14: what was committed before the end is reported with it. */
function brokenOff(error: unknown, summary: StreamSummary, bytes: number): unknown {
  if (!(error instanceof Problem)) return error;
  return new Problem(error.code, error.detail, {
    ...error.extras,
    members: { summary: summary.counts(bytes), lastCommittedRecord: summary.lastCommittedRecord },
  });
}
