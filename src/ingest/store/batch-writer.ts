import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import type { PreparedEvent } from '../../event/prepare-event';
import { Problem } from '../../event/problems';
import { Metrics } from '../../observability/metrics';
import { BatchReport } from './batch-report';
import { KnownEvents } from './known-events';
import { claimsOneOf, digestsOf, storeBatch, type IngestResult, type StoreResult } from './store-batch';

/**
 * Maximum events per statement. Over one connection, batches of 500 stored 35 k events/s, batches of 100 stored 31 k.
 */
const MAX_BATCH_EVENTS = 500;
const MAX_BATCH_BYTES = 8 * 1024 * 1024;
/**
 * Maximum batches written concurrently. With one, PostgreSQL was idle while this process prepared the next records, and
 * NDJSON streams were a fifth slower; a third gained nothing. The second batch starts only when it is full: two batches
 * that share a short queue are smaller and slower.
 */
const MAX_WRITERS = 2;
/** Limits of the queue. When one is reached, a single request gets 503 and streams are not read. */
const MAX_QUEUED_EVENTS = 10_000;
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;

export type StoreOutcome = PromiseSettledResult<IngestResult>;

/** An event in the queue. */
interface Waiting {
  prepared: PreparedEvent;
  /** Number of events after this one that must be in the same batch. */
  followers: number;
  caller: Caller;
  /** Its place among the events of its caller. */
  place: number;
}

/** One who waits for the outcomes of some events: a promise for each of a stream's events cost 3 % of its time. */
class Caller {
  readonly outcomes: Promise<StoreOutcome[]>;
  private readonly known: StoreOutcome[];
  private open: number;
  private resolve!: (outcomes: StoreOutcome[]) => void;

  constructor(events: number) {
    this.known = new Array<StoreOutcome>(events);
    this.open = events;
    this.outcomes = new Promise((resolve) => (this.resolve = resolve));
    if (events === 0) this.resolve(this.known);
  }

  settle(place: number, outcome: StoreOutcome): void {
    this.known[place] = outcome;
    this.open -= 1;
    if (this.open === 0) this.resolve(this.known);
  }
}

/**
 * Collects the events of concurrent requests and streams and stores each batch in one round trip, apart from those that
 * the cache knows. Callers get their results after the commit (I1). There is no timer: the next batch starts as soon as a
 * writer is free, and contains the events that arrived while the last one was written. Two concurrent batches never share
 * a key, so the first event to arrive is the first to be stored.
 */
@Injectable()
export class BatchWriter {
  private readonly report = new BatchReport();
  private queue: Waiting[] = [];
  private queuedBytes = 0;
  private writers = 0;
  private scheduled = false;
  /** Key digests of the batches that are being written. */
  private readonly inHand = new Set<string>();
  /** Those who wait for room: as many as there are streams and resubmissions. */
  private roomWanted = new Set<() => void>();

  constructor(
    private readonly pool: Pool,
    private readonly known: KnownEvents,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Resolves after the commit. Rejects with Problem `storage-unavailable` when PostgreSQL cannot be reached, or refuses
   * this event for now.
   * @throws Problem `overloaded`, synchronously, when the queue is full
   */
  write(prepared: PreparedEvent): Promise<IngestResult> {
    if (!this.hasRoom()) throw overloaded();
    return this.enqueue([prepared], false).then(([outcome]) => valueOf(outcome as StoreOutcome));
  }

  /**
   * Waits for room in the queue instead of failing. This is the backpressure of streams.
   * @throws the reason of the signal, if it is aborted while there is no room
   */
  async writeWhenRoom(events: readonly PreparedEvent[], signal?: AbortSignal): Promise<StoreOutcome[]> {
    while (!this.hasRoom()) await this.room(signal);
    return this.enqueue(events, false);
  }

  /**
   * Writes events in one batch, so that they are committed together unless one of them shares a key with a stored event,
   * or PostgreSQL refuses one of them.
   * @throws Problem `overloaded`, synchronously, when the queue is full
   */
  writeTogether(events: readonly PreparedEvent[]): Promise<StoreOutcome[]> {
    if (!this.hasRoom()) throw overloaded();
    return this.enqueue(events, true);
  }

  /** Resolves when there may be room. */
  private async room(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    this.roomWanted.add(wake);
    signal?.addEventListener('abort', wake);
    await promise;
    this.roomWanted.delete(wake);
    signal?.removeEventListener('abort', wake);
    signal?.throwIfAborted();
  }

  private hasRoom(): boolean {
    return this.queue.length < MAX_QUEUED_EVENTS && this.queuedBytes < MAX_QUEUED_BYTES;
  }

  private enqueue(events: readonly PreparedEvent[], together: boolean): Promise<StoreOutcome[]> {
    const caller = new Caller(events.length);
    events.forEach((prepared, place) => {
      const waiting = { prepared, followers: together ? events.length - 1 - place : 0, caller, place };
      this.queue.push(waiting);
      this.queuedBytes += bytesOf(waiting);
    });
    this.metrics.ingestQueueDepth.set(this.queue.length);
    if (!this.scheduled) {
      this.scheduled = true;
      setImmediate(() => {
        this.scheduled = false;
        this.startWriters();
      });
    }
    return caller.outcomes;
  }

  private startWriters(): void {
    while (this.writers < MAX_WRITERS && this.queue.length > 0) {
      const mayBeFull = this.queue.length >= MAX_BATCH_EVENTS || this.queuedBytes > MAX_BATCH_BYTES;
      if (this.writers > 0 && !mayBeFull) return; // common case (single POSTs): skip the scan of the queue
      const { count, full } = this.nextBatch();
      if (count === 0 || (this.writers > 0 && !full)) return;
      void this.writeBatch(this.take(count));
    }
  }

  private async writeBatch(batch: Waiting[]): Promise<void> {
    this.writers += 1;
    const digests = batch.flatMap(({ prepared }) => digestsOf(prepared));
    for (const digest of digests) this.inHand.add(digest);
    let settle: (() => void) | undefined;
    try {
      const unknown = await this.settleKnown(batch);
      if (unknown.length > 0) settle = await this.store(unknown);
    } finally {
      this.writers -= 1;
      for (const digest of digests) this.inHand.delete(digest);
    }
    if (this.queue.length > 0) {
      // PostgreSQL has the next batch before this process is busy with the responses of this one.
      this.startWriters();
      if (settle) setImmediate(settle);
    } else settle?.();
    const waiters = this.roomWanted;
    this.roomWanted = new Set();
    for (const go of waiters) go();
  }

  /** Answers the duplicates that the cache knows, and returns the other events. */
  private async settleKnown(batch: Waiting[]): Promise<Waiting[]> {
    const results = await this.known.find(batch.map(({ prepared }) => prepared));
    if (results.length === 0) return batch;
    return batch.filter(({ caller, place }, i) => {
      const value = results[i];
      if (value) caller.settle(place, { status: 'fulfilled', value });
      return value === undefined;
    });
  }

  /** Returns what tells the callers. */
  private async store(batch: Waiting[]): Promise<() => void> {
    this.metrics.ingestBatchSize.observe(batch.length);
    const events = batch.map(({ prepared }) => prepared);
    const startedMs = performance.now();
    try {
      const results = await storeBatch(this.pool, events);
      return () => {
        batch.forEach(({ caller, place }, i) => caller.settle(place, outcomeOf(results[i] as StoreResult)));
        this.known.remember(events, results);
        this.report.stored(events, results, startedMs);
      };
    } catch (error) {
      // Fail the whole queue: it would run into the same outage.
      const unavailable = error instanceof Problem && error.code === 'storage-unavailable';
      const failed = unavailable ? [...batch, ...this.take(this.queue.length)] : batch;
      return () => {
        this.report.failed(events, error, startedMs);
        for (const { caller, place } of failed) caller.settle(place, { status: 'rejected', reason: error });
      };
    }
  }

  /**
   * Returns how many queued events the next batch takes, and whether that fills it. Events that must be committed
   * together are never cut apart, even if they are more than a batch takes.
   */
  private nextBatch(): { count: number; full: boolean } {
    let bytes = 0;
    let count = 0;
    let whole = 0; // the events before the ones that are being counted and belong together
    for (const waiting of this.queue) {
      const { prepared, followers } = waiting;
      const added = bytesOf(waiting);
      const full = count >= MAX_BATCH_EVENTS || (count > 0 && bytes + added > MAX_BATCH_BYTES);
      if (full && whole > 0) return { count: whole, full };
      if (claimsOneOf(this.inHand, prepared)) return { count: whole, full: false };
      bytes += added;
      count += 1;
      if (followers === 0) whole = count;
    }
    return { count: whole, full: whole >= MAX_BATCH_EVENTS };
  }

  private take(count: number): Waiting[] {
    const batch = this.queue.slice(0, count);
    this.queue = this.queue.slice(count);
    for (const waiting of batch) this.queuedBytes -= bytesOf(waiting);
    this.metrics.ingestQueueDepth.set(this.queue.length);
    return batch;
  }
}

/** The request of a source is stored once. It counts with the last of its events, so that it is counted once as well. */
function bytesOf({ prepared, followers }: Pick<Waiting, 'prepared' | 'followers'>): number {
  const { event, received } = prepared;
  if (!received || followers > 0) return event.sizeBytes;
  return event.sizeBytes + received.requestJson.length + (received.body?.length ?? 0);
}

function outcomeOf(result: StoreResult): StoreOutcome {
  if (result.kind === 'failed') return { status: 'rejected', reason: result.reason };
  return { status: 'fulfilled', value: result };
}

export function valueOf(outcome: StoreOutcome): IngestResult {
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}

function overloaded(): Problem {
  return new Problem('overloaded', 'Too many events are waiting to be stored. Send the event again later.', {
    retryAfterSeconds: 1,
  });
}
