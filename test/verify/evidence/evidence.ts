import type { PlannedEvent } from '../load/planned-event';
import type { Entry } from '../run/journal';

/** An event as a client reads it back over HTTP. */
export interface ReadBack {
  httpStatus: number;
  text: string;
}

export interface StoredAttempt {
  generation: number;
  dispatchNo: number;
  attemptNumber: number;
  status: 'SUCCESS' | 'RETRY' | 'DLQ';
  reasonCode: string;
  message: string | null;
  /** host:pid */
  worker: string;
  atMs: number;
}

/** One entry of the outbox. */
export interface StoredEntry {
  id: string;
  destination: 'main' | 'retry' | 'dlq';
  dispatchNo: number;
  generation: number;
  status: string;
  createdMs: number;
  closedMs: number | null;
}

export interface StoredReplay {
  replayId: string;
  mode: 'reprocess' | 'republish';
  outcome: string;
  dispatchNo: number | null;
}

/** An event and all that is kept of it. Moments are in ms of the journal. */
export interface StoredEvent {
  id: string;
  tenant: string;
  name: string;
  type: string;
  receivedAt: string;
  sizeBytes: number;
  correlationId: string;
  status: string;
  /** 1, and one more for each time it was reprocessed. */
  generation: number;
  attempts: StoredAttempt[];
  entries: StoredEntry[];
  replays: StoredReplay[];
  /** Handlers and parts of them that were done in attempts that failed, by generation. */
  effects: { generation: number; handler: string }[];
  deadLetter: { reasonCode: string; resolution: string | null } | undefined;
}

export interface UsageRow {
  tenant: string;
  day: string;
  type: string;
  events: number;
  bytes: number;
}

export interface StoredAudit {
  action: string;
  correlationId: string;
  counts: Record<string, number>;
}

/** What is left when nothing moves any more, by what it is. Zero everywhere is rest. */
export type Leftovers = Record<string, number>;

/** All that the oracle decides from, gathered when everything was at rest, or had every chance to come to rest. */
export interface Evidence {
  journal: readonly Entry[];
  /** When the journal begins. */
  startedMs: number;
  /** False: nothing repaired in this run what the broker lost, and nothing was lost on purpose. */
  reconciles: boolean;
  /** By name. */
  sent: ReadonlyMap<string, PlannedEvent>;
  /** By name; every event that was ever acknowledged was asked for. */
  readBack: ReadonlyMap<string, ReadBack>;
  stored: readonly StoredEvent[];
  usage: readonly UsageRow[];
  replays: readonly { id: string; status: string; mode: string; correlationId: string }[];
  audit: readonly StoredAudit[];
  /** Event ids of the messages that lie in events.dlq. */
  deadLetterCopies: readonly string[];
  leftovers: Leftovers;
  /** Gauges that were never right while everything was at rest. */
  wrongGauges: readonly string[];
}
