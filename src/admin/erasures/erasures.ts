import { Injectable } from '@nestjs/common';
import type { ActingOperator } from '../../access/acting-operator';
import { refuseOtherTenant } from '../../access/tenant-scope';
import type { Db } from '../../db/pool';
import { parseInstant } from '../../event/instant';
import { Problem } from '../../event/problems';
import { uuidV7, uuidV7Floor } from '../../event/uuid-v7';
import { CLOCK_TOLERANCE_MS, timeOfDayMs } from '../../event/time-of-day';
import type { ActionHeaders } from '../endpoint/action-request';
import { AdminActions } from '../endpoint/admin-actions';
import { AdminTransactions } from '../endpoint/admin-transactions';
import {
  ERASURE_PHASES,
  NO_COUNTS,
  sumOfCounts,
  type Erasure,
  type ErasureCounts,
  type ErasurePhase,
  type ErasureSelection,
} from './erasure';
import { countOnly, type ErasureActs } from './erasure-acts';
import { stepPhase, type ErasureStep, type StepRange } from './erasure-step';
import { endErasure, findErasure, insertErasure } from './erasure.queries';
import type { ErasureRequest } from './erasures.requests';
import { findNamedEvents, NOTHING_MISSING, type NotFound } from './selection/named-events.queries';
import { LARGEST_STEP } from './step-sizes';

/** A dry run that takes longer than this ends, and says that there is more. */
const MOST_COUNT_MS = 20_000;

/** Most events that the ids of a request may stand for. The erasure remembers them by their ids. */
const MOST_NAMED = 2_000;

export interface StartedErasure {
  /** Null in a dry run. */
  erasureId: string | null;
  counts: ErasureCounts;
  more: boolean;
  notFound: NotFound;
  correlationId: string;
  /** The erasure had been started before, by an earlier request with the same idempotency key. */
  repeated: boolean;
}

/** Starts, previews and cancels erasures. Publishers carry them out (erasure-loop.ts). */
@Injectable()
export class Erasures {
  constructor(
    private readonly transactions: AdminTransactions,
    private readonly actions: AdminActions,
  ) {}

  /** @throws Problem `tenant-not-found`, or `invalid-request` when the ids stand for more than MOST_NAMED events */
  async start(request: ErasureRequest, headers: ActionHeaders): Promise<StartedErasure> {
    const { acting } = headers;
    refuseOtherTenant(acting, request.tenantId);
    const { selection, notFound } = await this.transactions.read((db) => selectionOf(db, request));
    const id = uuidV7();
    const below = belowOf(selection, timeOfDayMs());
    if (request.dryRun) {
      const counted = await this.count(selection, below);
      return { erasureId: null, ...counted, notFound, correlationId: acting.correlationId, repeated: false };
    }
    const recorded = await this.record({ id, below, selection }, request, headers);
    const { correlationId, repeated } = recorded;
    return { erasureId: recorded.id, counts: NO_COUNTS, more: false, notFound, correlationId, repeated };
  }

  /** What has been erased stays so. Does nothing once the erasure has ended. */
  async cancel(erasure: Pick<Erasure, 'id' | 'tenantId' | 'status'>, acting: ActingOperator): Promise<void> {
    const { id, tenantId, status } = erasure;
    if (status !== 'RUNNING') return;
    await this.actions.run({
      action: 'erasure.cancel',
      filter: { erasureId: id },
      acting,
      tenantIds: [tenantId],
      work: async (db) => {
        const cancelled = await endErasure(db, id, 'CANCELLED');
        const { counts = NO_COUNTS } = (await findErasure(db, id, null)) ?? {};
        return { counts: { cancelled: cancelled ? 1 : 0, ...counts }, result: undefined };
      },
    });
  }

  private record(
    { id, below, selection }: { id: string; below: string; selection: ErasureSelection },
    { tenantId, subject, eventIds, before, note }: ErasureRequest,
    { acting, idempotencyKey: key }: ActionHeaders,
  ) {
    const asked = { tenantId, subject, eventIds, before };
    const { name: requestedBy, correlationId } = acting;
    return this.actions.run({
      id,
      action: 'erasure',
      filter: asked,
      note,
      acting,
      tenantIds: [tenantId],
      idempotency: { key, asked: { ...asked, note } },
      work: async (db) => {
        await insertErasure(db, { id, ...selection, note: note ?? null, below, requestedBy, correlationId });
        return { counts: {}, result: undefined };
      },
    });
  }

  /** Walks through what would be erased as the erasure itself does. Nothing is locked or written. */
  private async count(selection: ErasureSelection, below: string): Promise<{ counts: ErasureCounts; more: boolean }> {
    const startedMs = performance.now();
    const acts = countOnly();
    let counts = NO_COUNTS;
    for (const phase of ERASURE_PHASES) {
      let range: StepRange | undefined = { ...selection, below, position: uuidV7Floor(0), most: LARGEST_STEP };
      while (range) {
        if (performance.now() - startedMs > MOST_COUNT_MS) return { counts, more: true };
        const step = await this.countStep(phase, range, acts);
        counts = sumOfCounts(counts, step?.counts ?? {});
        range = step?.position ? { ...range, position: step.position } : undefined;
      }
    }
    return { counts, more: false };
  }

  private countStep(phase: ErasurePhase, range: StepRange, acts: ErasureActs): Promise<ErasureStep | undefined> {
    return this.transactions.read((db) => stepPhase(db, phase, range, acts));
  }
}

async function selectionOf(
  db: Db,
  request: ErasureRequest,
): Promise<{ selection: ErasureSelection; notFound: NotFound }> {
  const { tenantId, subject = null, eventIds: names, before = null } = request;
  if (names === undefined) {
    return { selection: { tenantId, subject, before, eventIds: null }, notFound: NOTHING_MISSING };
  }
  const { ids, notFound } = await findNamedEvents(db, tenantId, names, MOST_NAMED);
  if (ids.length > MOST_NAMED) throw tooMany();
  return { selection: { tenantId, subject, before, eventIds: ids }, notFound };
}

const tooMany = (): Problem =>
  new Problem('invalid-request', 'The ids stand for too many events. See `errors`.', {
    errors: [
      {
        pointer: '/eventIds',
        code: 'invalid-request',
        message: `must not stand for more than ${MOST_NAMED} events; send fewer ids, or use subject or before`,
      },
    ],
  });

/** Returns the id below which the erasure ends. What is received later than the request is not erased. */
function belowOf({ before }: ErasureSelection, nowMs: number): string {
  const latestMs = nowMs + CLOCK_TOLERANCE_MS;
  if (before === null) return uuidV7Floor(latestMs);
  const instant = parseInstant(before);
  if (!instant) throw new Error(`not a time: ${before}`);
  return uuidV7Floor(Math.min(Date.parse(instant.utc), latestMs));
}
