import type { TenantIds } from '../../access/acting-operator';

/** What to erase of a tenant. One of the three is not null. */
export interface ErasureSelection {
  tenantId: string;
  subject: string | null;
  /** Ids of ours. */
  eventIds: readonly string[] | null;
  /** RFC 3339: what was received before. */
  before: string | null;
}

/** What an erasure has done, or would do. */
export interface ErasureCounts {
  /** Events whose payload was removed. */
  events: number;
  /** Of these, events that had not been processed and are DISCARDED. */
  discarded: number;
  /** Of these, events that came through a source, and whose requests were removed. */
  requests: number;
  /** Revisions of these events whose payload was removed. */
  revisions: number;
  /** Deliveries that are SKIPPED. */
  deliveries: number;
  /** Attempts, dead letters and deliveries with messages of failures, notes or beginnings of responses. */
  texts: number;
  rejections: number;
  /** Requests in the inspectors of the tenant's sources. */
  samples: number;
}

export const NO_COUNTS: ErasureCounts = {
  events: 0,
  discarded: 0,
  requests: 0,
  revisions: 0,
  deliveries: 0,
  texts: 0,
  rejections: 0,
  samples: 0,
};

/** Counts that an earlier build did not write are 0. */
export function sumOfCounts(a: Partial<ErasureCounts>, b: Partial<ErasureCounts>): ErasureCounts {
  const names = Object.keys(NO_COUNTS) as (keyof ErasureCounts)[];
  return Object.fromEntries(names.map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)])) as unknown as ErasureCounts;
}

/** Whether anything was erased. */
export const hasErased = (counts: ErasureCounts): boolean => Object.values(counts).some((n) => n > 0);

/**
 * The parts of an erasure, in their order. Rejections come first: one that was resubmitted after the events would have
 * become an event that is not erased.
 */
export const ERASURE_PHASES = ['rejections', 'events', 'samples'] as const;
export type ErasurePhase = (typeof ERASURE_PHASES)[number];
export const FIRST_PHASE: ErasurePhase = ERASURE_PHASES[0];

export const ERASURE_STATUSES = ['RUNNING', 'DONE', 'CANCELLED'] as const;
export type ErasureStatus = (typeof ERASURE_STATUSES)[number];

/** What became of PostgreSQL's statistics about what was erased. */
export const ERASURE_STATISTICS = ['RENEWED', 'FAILED'] as const;
export type ErasureStatistics = (typeof ERASURE_STATISTICS)[number];

/** Where an erasure goes on: with what has an id above `position` and below `below`. */
export interface ErasureRange extends ErasureSelection {
  position: string;
  below: string;
}

export interface Erasure extends ErasureSelection {
  id: string;
  note: string | null;
  counts: ErasureCounts;
  status: ErasureStatus;
  /** Null before the end, if nothing was erased, and for erasures of earlier builds. */
  statistics: ErasureStatistics | null;
  requestedBy: string;
  correlationId: string;
  createdAt: string;
  finishedAt: string | null;
}

/** An erasure that one process carries out. */
export interface ErasureInHand extends ErasureRange {
  id: string;
  phase: ErasurePhase;
  /** It walks through its phases for the second time, to find what was committed late. */
  lastLook: boolean;
  counts: ErasureCounts;
}

export type NewErasure = ErasureSelection &
  Pick<Erasure, 'id' | 'note' | 'requestedBy' | 'correlationId'> & { below: string };

export interface ErasuresFilter {
  tenantId: string | null;
  tenantIds: TenantIds;
}
