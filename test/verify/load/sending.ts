import type { Exchange } from './exchange';
import type { BrokenRecord } from './broken-record';
import type { PlannedEvent } from './planned-event';

export type PlannedRecord = { event: PlannedEvent } | { broken: BrokenRecord };

/**
 * What a response says about one record. `taken` means accepted or duplicate: the response does not say which.
 * `unverified` means that the signature of its request was refused.
 */
export interface Told {
  /** From 1. */
  record: number;
  name: string;
  outcome: 'accepted' | 'duplicate' | 'taken' | 'rejected' | 'unverified';
  code?: string;
  /** The rejected record is not known to be kept. */
  kept?: boolean | undefined;
  /** Fields of the event in the response. */
  fields?: Record<string, unknown>;
}

export interface SummaryCounts {
  records: number;
  accepted: number;
  duplicates: number;
  rejected: number;
}

/** What a response says. */
export interface Reading {
  /** `again`: the request has to be sent again. `strange`: the API does not allow this response. */
  next: 'done' | 'again' | 'strange';
  told: Told[];
  summary?: SummaryCounts;
  lastCommittedRecord?: number;
  /** What became of a request of a source, as its metric counts it. */
  result?: string;
}

/** What a request carries to a source. */
export interface SentToSource {
  id: string;
  /** Before its Content-Encoding. */
  body: string;
  /** Each record as it stands in the body. */
  records: string[];
}

/** One request. It is sent unchanged each time. */
export interface Sending {
  kind: string;
  path: string;
  headers: Record<string, string>;
  body: string | Buffer<ArrayBuffer>;
  records: readonly PlannedRecord[];
  toSource?: SentToSource;
  /** Reads a complete response. */
  read: (answer: Exchange & { status: number }) => Reading;
  /** Reads a response that broke off. */
  readPartly?: (text: string) => Told[];
}

export const nameOf = (record: PlannedRecord): string => ('event' in record ? record.event.name : record.broken.name);

/** Statuses that ask the client to send the request again later. */
export const isLater = (status: number): boolean => status === 429 || status === 503;
