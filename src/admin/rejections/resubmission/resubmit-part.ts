import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Pool, type PoolClient } from 'pg';
import type { PreparedEvent } from '../../../event/prepare-event';
import type { JsonPatch } from '../../../expressions/patch/json-patch';
import { Intake } from '../../../ingest/store/intake';
import type { IngestResult } from '../../../ingest/store/store-batch';
import type { RejectionStatus } from '../../../rejections/rejection';
import { readRejections, type KeptRejection } from '../../../rejections/rejections.queries';
import { lockForResubmission, markResubmitted, type Resubmitted } from '../../../rejections/settle-rejections.queries';
import { AdminTransactions } from '../../endpoint/admin-transactions';
import { Admission } from './admission';
import { Foresight } from './foresight';
import { hasOwnKey } from './key-for-resubmission';
import { ReadAgain } from './read-again';
import { ResubmissionOutcome, settle, type EventResult } from './resubmission-outcome';
import { storeInTime } from './store-in-time';

/** No further rejection is added to a part that has this many events. One rejection may have thousands of its own. */
const MOST_EVENTS_IN_PART = 1_000;

/** A rejection that can be read as events. */
export interface ReadyRejection {
  rejection: KeptRejection;
  events: PreparedEvent[];
}

export interface PartRequest {
  kept: readonly KeptRejection[];
  status: RejectionStatus;
  patch: JsonPatch | undefined;
}

export interface PartResult {
  outcome: ResubmissionOutcome;
  /** Why the last events of the part are not known to be stored. */
  failure: unknown;
  /** The rejections that are left for the next part. */
  rest: readonly KeptRejection[];
}

/** The action that a part belongs to. */
export interface PartLog {
  /** Records what the part has done, in its transaction. */
  record: (db: PoolClient, outcome: ResubmissionOutcome, settled: readonly Resubmitted[]) => Promise<void>;
  /** Whether this outcome is recorded. Waits for a transaction that is about to commit one. */
  isRecorded: (db: PoolClient, outcome: ResubmissionOutcome) => Promise<boolean>;
}

interface ReadPart {
  ready: ReadyRejection[];
  rest: readonly KeptRejection[];
}

/** Resubmits a few rejections. */
@Injectable()
export class ResubmitPart {
  constructor(
    private readonly pool: Pool,
    private readonly transactions: AdminTransactions,
    private readonly readAgain: ReadAgain,
    private readonly admission: Admission,
    private readonly intake: Intake,
  ) {}

  /** Reads rejections with their bytes. Counts those that retention has removed as skipped. */
  async load(ids: readonly string[], outcome: ResubmissionOutcome): Promise<KeptRejection[]> {
    const kept = await this.transactions.read((db) => readRejections(db, ids));
    outcome.skipped += ids.length - kept.length;
    return kept;
  }

  /** Prepares the events of the first of these rejections. Adds those that are refused again to the outcome. */
  async read({ kept, patch }: Omit<PartRequest, 'status'>, outcome: ResubmissionOutcome): Promise<ReadPart> {
    await this.readAgain.ready();
    const ready: ReadyRejection[] = [];
    let events = 0;
    for (const [i, rejection] of kept.entries()) {
      if (events >= MOST_EVENTS_IN_PART) return { ready, rest: kept.slice(i) };
      const refusal = await this.admission.refusalOf(rejection);
      const again = refusal ? { rejection: refusal } : await this.readAgain.read(rejection, patch);
      if ('rejection' in again) {
        outcome.refuse(rejection, again.rejection);
      } else {
        ready.push({ rejection, events: again.events });
        events += again.events.length;
      }
      await nextTurn(); // one record may take milliseconds, and other requests are served between two
    }
    return { ready, rest: [] };
  }

  /**
   * Stores the events and records what became of the rejections. The rejections are locked meanwhile, so that each is
   * resubmitted by one operator at a time. A crash leaves them open, and the next resubmission finds their events.
   */
  async run(request: PartRequest, log: PartLog): Promise<PartResult> {
    const read = new ResubmissionOutcome(request.kept.length);
    const { ready: readable, rest } = await this.read(request, read);
    const ready = await this.withoutRefusedRequests(readable, read);
    let last: PartResult | undefined;
    return this.transactions.run(async (db) => {
      // The last run may have lost its connection after the commit. Its rejections would now look settled by another.
      if (last && (await log.isRecorded(db, last.outcome))) return last;
      const outcome = new ResubmissionOutcome(request.kept.length);
      outcome.add(read);
      const locked = new Set(await lockForResubmission(db, idsOf(ready), request.status));
      const own = ready.filter(({ rejection }) => locked.has(rejection.id));
      outcome.skipped += ready.length - own.length;
      const { results, failure } = await storeInTime(
        this.intake,
        own.flatMap(({ events }) => events),
      );
      const settled = settleAll(own, results, outcome);
      await markResubmitted(db, settled);
      await log.record(db, outcome, settled);
      last = { outcome, failure, rest };
      return last;
    });
  }

  /**
   * Leaves out requests of a source that have a record which would be refused. If their other records were stored, a
   * later resubmission with another patch would store these again.
   */
  private async withoutRefusedRequests(
    ready: ReadyRejection[],
    outcome: ResubmissionOutcome,
  ): Promise<ReadyRejection[]> {
    if (ready.every(({ events }) => events.length === 1)) return ready;
    const foreseen = await new Foresight(this.pool).of(ready);
    return ready.filter(({ rejection, events }, i) => {
      const results = eventResultsOf({ rejection, events }, foreseen[i] ?? []);
      const refused = results.find((result) => result?.kind === 'rejected');
      if (events.length === 1 || refused?.kind !== 'rejected') return true;
      outcome.refuse(rejection, refused.rejection);
      return false;
    });
  }
}

const idsOf = (ready: readonly ReadyRejection[]): string[] => ready.map(({ rejection }) => rejection.id);

/** @param results those of all events, in order; if storing failed, of the first ones */
export function settleAll(
  ready: readonly ReadyRejection[],
  results: readonly (IngestResult | undefined)[],
  outcome: ResubmissionOutcome,
): Resubmitted[] {
  let next = 0;
  return ready.flatMap((one) => {
    const end = next + one.events.length;
    const own = eventResultsOf(one, results.slice(next, end));
    next = end;
    return settle(one.rejection, own, outcome) ?? [];
  });
}

function eventResultsOf(
  { rejection, events }: ReadyRejection,
  results: readonly (IngestResult | undefined)[],
): (EventResult | undefined)[] {
  return events.map((prepared, i) => {
    const result = results[i];
    return result && eventResultOf(result, () => hasOwnKey(rejection, prepared, i + 1));
  });
}

/** @param hasOwn whether the key of the event is the one that its rejection gave it */
function eventResultOf(result: IngestResult, hasOwn: () => boolean): EventResult {
  if (result.kind === 'accepted') return { kind: 'accepted', eventId: result.committed.id };
  if (result.kind === 'duplicate') {
    return { kind: result.by === 'rejection' ? 'stored-before' : 'duplicate', eventId: result.of.id };
  }
  const { code, conflictsWith } = result.rejection;
  // The same record was refused several times, and another patch has made an event of another rejection of it.
  if (code === 'idempotency-key-reused' && conflictsWith !== undefined && hasOwn()) {
    return { kind: 'duplicate', eventId: conflictsWith };
  }
  return result;
}
