import { Inject, Injectable, Logger } from '@nestjs/common';
import { loggedCause } from '../../../db/outages';
import { tenantsCovered } from '../../../access/acting-operator';
import { largestSourceBody } from '../../../config/largest-source-body';
import { SETTINGS_TOKEN, type Settings } from '../../../config/settings';
import type { JsonPatch } from '../../../expressions/patch/json-patch';
import type { Rejection, RejectionStatus } from '../../../rejections/rejection';
import type { KeptRejection } from '../../../rejections/rejections.queries';
import { recordActionOnEvents } from '../../audit/event-actions.queries';
import type { ChangeCounts } from '../../audit/audit.queries';
import { lockCounts, recordEnd, recordProgress } from '../../audit/running-actions.queries';
import type { ActionHeaders } from '../../endpoint/action-request';
import { AdminActions, type ActionOutcome } from '../../endpoint/admin-actions';
import { AdminTransactions } from '../../endpoint/admin-transactions';
import { limitOf, recordedFilter } from '../../events/bulk-request';
import { findMatchingRejections } from '../matching-rejections';
import { isSameCounts, ResubmissionOutcome } from './resubmission-outcome';
import { ResubmissionPreview, type PreviewedEvent } from './resubmission-preview';
import { ResubmitPart, type PartRequest, type PartResult } from './resubmit-part';
import type { ResubmitRequest } from './resubmit.requests';

/** Maximum number of rejections that are resubmitted together, and of their bytes. */
const MOST_IN_PART = 100;
const MOST_BYTES_IN_PART = 8 * 1024 * 1024;
/** After this time no further part starts. What was not reached stays open. */
const MOST_MS = 20_000;
/** Longer than a part takes, with its repeats. After a crash, requests with the same key are refused for this long. */
const LEASE_SECONDS = 60;

export interface ResubmissionResult {
  /** Null in a dry run. */
  actionId: string | null;
  outcome: ResubmissionOutcome;
  /** Only of a dry run: more than the limit match. */
  more?: boolean;
  /** Only of a dry run: the first records as they would become. */
  preview: PreviewedEvent[];
  correlationId: string;
  /** The action had been carried out before, for an earlier request with the same idempotency key. */
  repeated: boolean;
}

interface Selected {
  found: readonly Rejection[];
  status: RejectionStatus;
  patch: JsonPatch | undefined;
}

/** Sends rejections through intake again. Each is one event at most, however often and by whomever it is resubmitted. */
@Injectable()
export class Resubmissions {
  private readonly logger = new Logger('Rejections');

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly transactions: AdminTransactions,
    private readonly actions: AdminActions,
    private readonly part: ResubmitPart,
    private readonly preview: ResubmissionPreview,
  ) {}

  /** The action is recorded first. Once it is, this returns its id whatever happens next. */
  async run(
    request: ResubmitRequest,
    patch: JsonPatch | undefined,
    headers: ActionHeaders,
  ): Promise<ResubmissionResult> {
    const { acting } = headers;
    const { status = 'OPEN' } = request;
    const limit = limitOf(request, this.settings.REPLAY_MAX_LIMIT);
    const find = (most: number) =>
      this.transactions.read((db) => findMatchingRejections(db, { ...request, status }, acting, most));
    if (request.dryRun) {
      const all = await find(limit + 1);
      const foreseen = await this.foresee({ found: all.slice(-limit), status, patch }); // they are oldest first
      const { correlationId } = acting;
      return { actionId: null, ...foreseen, more: all.length > limit, correlationId, repeated: false };
    }
    const selected = { found: await find(limit), status, patch };
    const { id, repeated, correlationId, counts } = await this.record(request, { ...selected, limit }, headers);
    if (repeated) {
      return { actionId: id, outcome: ResubmissionOutcome.of(counts), preview: [], correlationId, repeated };
    }
    const outcome = await this.carryOut(id, selected);
    await this.end(id);
    return { actionId: id, outcome, preview: [], correlationId, repeated };
  }

  private async foresee({ found, patch }: Selected): Promise<Pick<ResubmissionResult, 'outcome' | 'preview'>> {
    const outcome = new ResubmissionOutcome(found.length);
    const preview = this.preview.begin();
    const endMs = performance.now() + MOST_MS;
    for (const ids of partsOf(found, this.settings.MAX_EVENT_BYTES)) {
      if (performance.now() > endMs) break;
      let kept: readonly KeptRejection[] = await this.part.load(ids, outcome);
      while (kept.length > 0 && performance.now() <= endMs) kept = await preview.add({ kept, patch }, outcome);
    }
    return { outcome, preview: preview.first };
  }

  private record(
    request: ResubmitRequest,
    { found, status, patch, limit }: Selected & { limit: number },
    { acting, idempotencyKey: key }: ActionHeaders,
  ): Promise<ActionOutcome<undefined>> {
    const { note } = request;
    const filter = { ...recordedFilter(request), status };
    // The audit trail outlives an erasure, so it has no values of the patch.
    const shown = patch?.map(({ op, path, from }) => ({
      op,
      path: path.pointer,
      ...(from ? { from: from.pointer } : {}),
    }));
    return this.actions.run({
      action: 'rejections.resubmit',
      filter: { ...filter, ...(shown ? { patch: shown } : {}) },
      note,
      acting,
      tenantIds: tenantsCovered(acting, request.tenantId),
      idempotency: { key, asked: { filter, limit, note, patch } },
      leaseSeconds: LEASE_SECONDS,
      work: () => Promise.resolve({ counts: new ResubmissionOutcome(found.length).counts(), result: undefined }),
    });
  }

  private async carryOut(actionId: string, { found, status, patch }: Selected): Promise<ResubmissionOutcome> {
    const outcome = new ResubmissionOutcome(found.length);
    const endMs = performance.now() + MOST_MS;
    try {
      for (const ids of partsOf(found, this.settings.MAX_EVENT_BYTES)) {
        if (performance.now() > endMs) break;
        let kept: readonly KeptRejection[] = await this.part.load(ids, outcome);
        do {
          const { rest, failure } = await this.runPart(actionId, { kept, status, patch }, outcome);
          if (failure !== undefined) return this.stopped(actionId, outcome, failure);
          kept = rest;
        } while (kept.length > 0 && performance.now() <= endMs);
      }
    } catch (error) {
      return this.stopped(actionId, outcome, error);
    }
    return outcome;
  }

  /** Each part records the counts in its own transaction, so they are right after a crash. */
  private async runPart(actionId: string, request: PartRequest, outcome: ResubmissionOutcome): Promise<PartResult> {
    const countsWith = (part: ResubmissionOutcome): ChangeCounts => outcome.with(part).counts();
    const done = await this.part.run(request, {
      isRecorded: async (db, part) => isSameCounts(await lockCounts(db, actionId), countsWith(part)),
      record: async (db, part, settled) => {
        const events = settled.map(({ eventId }) => ({ eventId }));
        await recordActionOnEvents(db, actionId, events);
        await recordProgress(db, actionId, { counts: countsWith(part), leaseSeconds: LEASE_SECONDS });
      },
    });
    outcome.add(done.outcome);
    return done;
  }

  /** If this fails, requests with the same key are refused until the lease ends. */
  private async end(actionId: string): Promise<void> {
    try {
      await this.transactions.run((db) => recordEnd(db, actionId));
    } catch (error) {
      this.logger.warn({ msg: 'rejections.end-not-recorded', actionId, ...loggedCause(error) });
    }
  }

  private stopped(actionId: string, outcome: ResubmissionOutcome, error: unknown): ResubmissionOutcome {
    const { pending: count } = outcome;
    this.logger.warn({ msg: 'rejections.not-resubmitted', actionId, count, ...loggedCause(error) });
    return outcome;
  }
}

function* partsOf(found: readonly Rejection[], maxEventBytes: number): Generator<string[]> {
  let part: string[] = [];
  let bytes = 0;
  for (const { id, sizeBytes } of found) {
    const kept = Math.min(sizeBytes, largestSourceBody(maxEventBytes)); // of other endpoints less is kept
    if (part.length === MOST_IN_PART || (part.length > 0 && bytes + kept > MOST_BYTES_IN_PART)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(id);
    bytes += kept;
  }
  if (part.length > 0) yield part;
}
