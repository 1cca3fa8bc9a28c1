import type { PlannedEvent } from '../load/planned-event';
import type { Entry } from '../run/journal';

/** The response to `GET /v1/events/{id}`. */
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
  /** It failed and was the last one. */
  exhausted: boolean;
  message: string | null;
  /** host:pid */
  worker: string;
  atMs: number;
}

/** An outbox entry. */
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

/** An attempt to deliver. */
export interface StoredDeliveryAttempt {
  attemptNumber: number;
  reasonCode: string;
  /** Null if there was no response. */
  statusCode: number | null;
  /** host:pid */
  worker: string;
  atMs: number;
  /** It was the last one, and the delivery failed. */
  isFailure: boolean;
}

export interface StoredDelivery {
  destinationId: string;
  /** The name of the destination, from the path of its URL. Empty if the destination does not exist. */
  destination: string;
  /** Counts the deliveries of one event to one destination, from 1. */
  generation: number;
  /** A backfill made it. */
  isBackfilled: boolean;
  createdMs: number;
  status: 'OPEN' | 'DELIVERED' | 'FAILED' | 'DISCARDED' | 'SKIPPED';
  attempts: number;
  /** Attempts that have used up a place in the retry schedule since the delivery was last opened. */
  tries: number;
  exhausted: boolean;
  reasonCode: string | null;
  settledMs: number | null;
  log: StoredDeliveryAttempt[];
}

/** An event with everything stored about it. Times are in ms since the start of the journal. */
export interface StoredEvent {
  id: string;
  tenant: string;
  name: string;
  type: string;
  partitionKey: string;
  /** Its place among the events of its key. */
  position: number;
  receivedAt: string;
  sizeBytes: number;
  correlationId: string;
  /** Null unless it came through a source. */
  sourceId: string | null;
  /** The body of the request with which it came through its source. */
  rawBody: string | null;
  status: string;
  /** Starts at 1; each reprocessing adds 1. */
  generation: number;
  attempts: StoredAttempt[];
  entries: StoredEntry[];
  replays: StoredReplay[];
  /** Handlers and partial effects that failed attempts have finished. */
  effects: { generation: number; handler: string }[];
  deliveries: StoredDelivery[];
  deadLetter: { reasonCode: string; resolution: string | null } | undefined;
  /** When it was erased, and where something of it is left nevertheless; undefined if it was not. */
  erased: { erasedMs: number; traces: readonly string[] } | undefined;
}

export interface StoredErasure {
  id: string;
  status: string;
  /** Ids of ours. */
  eventIds: readonly string[] | null;
  /** Events that it counts as erased. */
  events: number;
}

/** A record of a source that was refused. */
export interface StoredRejection {
  tenant: string;
  sourceId: string | null;
  /** Null if it could not be read. */
  type: string | null;
  code: string;
  /** Null for a whole request. */
  recordNumber: number | null;
  correlationId: string;
  sizeBytes: number;
  /** SHA-256 of all bytes, in hex. */
  digest: string;
  /** The bytes that are kept. */
  body: string;
  /** Its bytes were erased with the event that it collides with. */
  isErased: boolean;
}

export interface UsageRow {
  tenant: string;
  day: string;
  type: string;
  events: number;
  bytes: number;
}

/** A sum of the roll-up of metrics. */
export interface RolledUp {
  measure: string;
  dimension: string;
  tenant: string | null;
  /** Null: the smaller keys of the tenant together. */
  key: string | null;
  /** Of the latency; 0 for other measures. */
  bucket: number;
  count: number;
}

export interface StoredAudit {
  action: string;
  correlationId: string;
  counts: Record<string, number>;
}

/** Counts of what is left, by description. All zero means that everything is at rest. */
export type Leftovers = Record<string, number>;

/** Everything that the oracle checks. It is gathered after everything had the time to come to rest. */
export interface Evidence {
  journal: readonly Entry[];
  /** Start of the journal, in ms since 1970. */
  startedMs: number;
  /** False if the reconciler was off and no fault lost confirmed messages. */
  reconciles: boolean;
  /** By name. */
  sent: ReadonlyMap<string, PlannedEvent>;
  /** All acknowledged events, by name. */
  readBack: ReadonlyMap<string, ReadBack>;
  stored: readonly StoredEvent[];
  rejections: readonly StoredRejection[];
  usage: readonly UsageRow[];
  rolledUp: readonly RolledUp[];
  replays: readonly { id: string; status: string; mode: string; correlationId: string }[];
  audit: readonly StoredAudit[];
  erasures: readonly StoredErasure[];
  /** Event ids of the messages in events.dlq. */
  deadLetterCopies: readonly string[];
  /** Ids of the messages in events.safety; of a bundle, those of its events, separated by spaces. */
  parkedMessages: readonly string[];
  leftovers: Leftovers;
  /** Gauges that stayed wrong while everything was at rest. */
  wrongGauges: readonly string[];
}
