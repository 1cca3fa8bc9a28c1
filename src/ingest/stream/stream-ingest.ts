import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { Reservation } from '../../access/limits/meter';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import type { RequestContext } from '../../event/prepare-event';
import { storageProblem } from '../../db/outages';
import { Problem } from '../../event/problems';
import { Metrics } from '../../observability/metrics';
import { traceparentOfRecord } from '../../observability/spans';
import { Decoders } from '../decoding/decoders';
import { Expansion } from '../decoding/expansion';
import { RejectionKeeper } from '../../rejections/rejection-keeper';
import type { EventsBody } from '../event-body';
import { recordKey, RejectedRecords } from '../rejected/rejected-records';
import { CurrentRules } from '../store/current-rules';
import { Intake } from '../store/intake';
import type { IngestResult } from '../store/store-batch';
import type { StreamRecord } from '../formats/ndjson-records';
import { PrepareRecords, type PreparedRecord } from '../formats/prepare-records';
import type { PacedStream } from './paced-stream';
import { RecordsInHand } from './records-in-hand';
import { StreamSource } from './stream-source';

/** Bounds what a stream holds while it waits. The default of 16 chunks was a megabyte for each. */
const READ_AHEAD_CHUNKS = 2;
const UNAVAILABLE = 'The database is unavailable. Send the stream again later.';

/** One request that carries many events. */
export interface StreamRequest extends EventsBody {
  context: RequestContext;
  /** Paces the stream to the limits of its tenant, and knows whether its sender may go on. */
  pace: PacedStream;
  /**
   * Called for every record, in order, as soon as its result is final. `isKept` is false for a rejected record that is
   * not known to be kept.
   */
  onResult: (record: number, result: IngestResult, isKept: boolean) => void;
  /** Resolves when `onResult` may be called again. @throws Problem when the stream must not go on */
  roomForResults?: () => Promise<void>;
}

/** A stream that is being read. */
interface OpenStream extends StreamRequest {
  inHand: RecordsInHand;
  expansion: Expansion;
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
    private readonly keeper: RejectionKeeper,
    private readonly decoders: Decoders,
  ) {}

  /**
   * Resolves with the number of decompressed bytes read and, if the stream broke off, with the problem. Everything that
   * was reported to `onResult` stays committed in either case (I14). `error` is what broke it off where nobody expected
   * it.
   */
  async ingest(request: StreamRequest): Promise<IngestedStream> {
    const { body, format, encoding, pace } = request;
    const inHand = new RecordsInHand();
    const expansion = request.expansion ?? new Expansion(this.settings.MAX_EVENT_BYTES);
    expansion.whenDecided = () => inHand.none();
    const decode = this.decoders.decoder(encoding, pace.tenantId);
    const source = new StreamSource(body, decode && expansion.bound(decode), this.settings, pace, inHand);
    pace.whenBrokenOff((problem) => source.breakOff(problem));
    try {
      await pipeline(
        Readable.from(source.chunks(), { highWaterMark: READ_AHEAD_CHUNKS }),
        format.records(this.settings.MAX_EVENT_BYTES, source),
        new PrepareRecords((record) => {
          inHand.found();
          return this.prepare(record, request);
        }),
        this.commit({ ...request, inHand, expansion }, source),
      );
      const { bytes, brokenBy: problem } = source;
      if (problem?.code === 'expansion-too-large') this.metrics.bodiesRefused.inc({ reason: 'expansion' });
      return { bytes, problem };
    } catch (error) {
      const problem = new Problem(
        'internal-error',
        'An unexpected error occurred. It is logged with the correlation id.',
      );
      return { bytes: source.bytes, problem, error: error as Error };
    }
  }

  private prepare(record: StreamRecord, { context, format }: StreamRequest): PreparedRecord['made'] {
    const idempotencyKey = recordKey(context.idempotencyKey, record.number);
    const traceparent = traceparentOfRecord(context.traceparent, record.number);
    const ownContext = { ...context, traceparent, idempotencyKey };
    return format.prepare(record.bytes, ownContext, this.rules.current(), record.receivedBytes);
  }

  private commit(request: OpenStream, source: StreamSource): Writable {
    let stopped = false;
    const stage = new Writable({
      objectMode: true,
      highWaterMark: 4,
      write: (records: PreparedRecord[], _encoding, done) => {
        if (stopped) return done(); // an earlier record could not be stored; later ones must not overtake it
        this.commitRecords(records, request).then(
          () => done(),
          (error: unknown) => {
            stopped = true;
            request.inHand.giveUp();
            const problem = error instanceof Problem ? error : storageProblem(error, UNAVAILABLE);
            if (problem) source.breakOff(problem);
            done(problem ? null : (error as Error));
          },
        );
      },
    });
    return stage.once('close', () => request.inHand.giveUp());
  }

  /**
   * Stores records as fast as the limits of the tenant allow. Reports those before the first one that could not be
   * stored, then throws the reason.
   */
  private async commitRecords(records: PreparedRecord[], request: OpenStream): Promise<void> {
    for (let rest = records; rest.length > 0;) {
      await request.roomForResults?.();
      const reservation = await request.pace.reserve(rest.length);
      await this.commitReserved(rest.slice(0, reservation.points), reservation, request);
      rest = rest.slice(reservation.points);
    }
  }

  private async commitReserved(
    records: PreparedRecord[],
    reservation: Reservation,
    request: OpenStream,
  ): Promise<void> {
    const { pace, onResult, inHand, expansion } = request;
    const { results, failure, notKept } = await this.store(records, request);
    let next = 0;
    let charged = 0;
    for (const { record, made } of records) {
      const result: IngestResult | undefined =
        'prepared' in made ? results[next++] : { kind: 'rejected', rejection: made.rejection };
      if (!result) {
        this.metrics.ingestTotal.inc({ source: 'stream', status: 'failed' });
        pace.giveBack(reservation, records.length - charged);
        throw failure;
      }
      if (result.kind !== 'duplicate') charged += 1;
      if (result.kind === 'accepted') expansion.accepted();
      else if (result.kind === 'duplicate') expansion.duplicate(result.of.id);
      else expansion.rejected();
      inHand.settled();
      onResult(record.number, result, notKept?.has(record.number) !== true);
      this.metrics.ingestTotal.inc({ source: 'stream', status: result.kind });
    }
    pace.giveBack(reservation, records.length - charged);
  }

  /**
   * Stores the events of records and, beside them, what is rejected. If storing an event fails, a record after it may be
   * kept as rejected, and again when the stream is sent again.
   */
  private async store(records: readonly PreparedRecord[], request: StreamRequest): Promise<StoredRecords> {
    const events = records.flatMap(({ made }) => ('prepared' in made ? [made.prepared] : []));
    let rejected: RejectedRecords | undefined;
    if (events.length < records.length) {
      rejected = new RejectedRecords(this.keeper, request);
      rejected.addRefused(records);
    }
    const stored: StoredRecords = await this.intake.acceptAll(events);
    if (stored.results.some(isRejected)) {
      rejected ??= new RejectedRecords(this.keeper, request);
      rejected.addConflicts(records, stored.results);
    }
    if (rejected) stored.notKept = await rejected.notKept();
    return stored;
  }
}

/** How a stream ended. */
export interface IngestedStream {
  bytes: number;
  problem: Problem | undefined;
  error?: Error;
}

interface StoredRecords {
  /** Of the events, in order, before the first one that is not known to be stored. */
  results: IngestResult[];
  failure?: unknown;
  /** Numbers of the rejected records that are not known to be kept. */
  notKept?: ReadonlySet<number>;
}

const isRejected = ({ kind }: IngestResult): boolean => kind === 'rejected';
