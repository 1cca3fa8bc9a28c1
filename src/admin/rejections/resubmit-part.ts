import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import type { PreparedEvent } from '../../event/prepare-event';
import type { JsonPatch } from '../../expressions/patch/json-patch';
import { Intake } from '../../ingest/store/intake';
import type { IngestResult } from '../../ingest/store/store-batch';
import type { RejectionStatus } from '../../rejections/rejection';
import { readRejections, type KeptRejection } from '../../rejections/rejections.queries';
import { lockForResubmission, markResubmitted, type Resubmitted } from '../../rejections/settle-rejections.queries';
import { AdminTransactions } from '../endpoint/admin-transactions';
import { ReadAgain } from './read-again';
import { hasOwnKey } from './key-for-resubmission';
import { ResubmissionOutcome, settle, type EventResult } from './resubmission-outcome';

/** A rejection that can be read as events. */
export interface ReadyRejection {
  rejection: KeptRejection;
  events: PreparedEvent[];
}

export interface PartRequest {
  ids: readonly string[];
  status: RejectionStatus;
  patch: JsonPatch | undefined;
}

export interface PartResult {
  outcome: ResubmissionOutcome;
  /** Why the last events of the part are not known to be stored. */
  failure: unknown;
}

/** Resubmits a few rejections. */
@Injectable()
export class ResubmitPart {
  constructor(
    private readonly transactions: AdminTransactions,
    private readonly readAgain: ReadAgain,
    private readonly intake: Intake,
  ) {}

  /** Prepares the events of these rejections. Adds those that are refused again to the outcome. */
  async read(
    { ids, patch }: Pick<PartRequest, 'ids' | 'patch'>,
    outcome: ResubmissionOutcome,
  ): Promise<ReadyRejection[]> {
    const found = await this.transactions.read((db) => readRejections(db, ids));
    outcome.skipped += ids.length - found.length; // retention has removed them
    await this.readAgain.ready();
    const ready: ReadyRejection[] = [];
    for (const rejection of found) {
      const again = await this.readAgain.read(rejection, patch);
      if ('rejection' in again) outcome.refuse(rejection, again.rejection);
      else ready.push({ rejection, events: again.events });
      await nextTurn(); // one record may take milliseconds, and other requests are served between two
    }
    return ready;
  }

  /**
   * Stores the events and records what became of the rejections. The rejections are locked meanwhile, so that each is
   * resubmitted by one operator at a time. A crash leaves them open, and the next resubmission finds duplicates.
   */
  async run(
    request: PartRequest,
    record: (db: PoolClient, outcome: ResubmissionOutcome, settled: readonly Resubmitted[]) => Promise<void>,
  ): Promise<PartResult> {
    const read = new ResubmissionOutcome(request.ids.length);
    const ready = await this.read(request, read);
    return this.transactions.run(async (db) => {
      const outcome = new ResubmissionOutcome(request.ids.length);
      outcome.add(read);
      const locked = new Set(await lockForResubmission(db, idsOf(ready), request.status));
      const own = ready.filter(({ rejection }) => locked.has(rejection.id));
      outcome.skipped += ready.length - own.length;
      const { results, failure } = await this.intake.acceptAll(own.flatMap(({ events }) => events));
      const settled = settleAll(own, results, outcome);
      await markResubmitted(db, settled);
      await record(db, outcome, settled);
      return { outcome, failure };
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
  return ready.flatMap(({ rejection, events }) => {
    const own = events.map((prepared, i) => {
      const result = results[next++];
      return result && eventResultOf(result, hasOwnKey(rejection, prepared, i + 1));
    });
    return settle(rejection, own, outcome) ?? [];
  });
}

/** @param ownKey whether the key of the event is the one that its rejection gave it */
function eventResultOf(result: IngestResult, ownKey: boolean): EventResult {
  if (result.kind === 'accepted') return { kind: 'accepted', eventId: result.committed.id };
  if (result.kind === 'duplicate') return { kind: 'duplicate', eventId: result.of.id };
  const { code, conflictsWith } = result.rejection;
  // Another patch made the event, and the process ended before it settled the rejection.
  if (ownKey && code === 'idempotency-key-reused' && conflictsWith !== undefined) {
    return { kind: 'duplicate', eventId: conflictsWith };
  }
  return result;
}
