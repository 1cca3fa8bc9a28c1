import type { Exchange } from './exchange';
import type { BrokenRecord } from './broken-record';
import type { PlannedEvent } from './planned-event';

export type PlannedRecord = { event: PlannedEvent } | { broken: BrokenRecord };

/** What an answer says became of one record. `taken`: accepted or a duplicate, it does not say which. */
export interface Told {
  /** From 1. */
  record: number;
  name: string;
  outcome: 'accepted' | 'duplicate' | 'taken' | 'rejected';
  code?: string;
  /** What it says of the event, by field. */
  fields?: Record<string, unknown>;
}

export interface SummaryCounts {
  records: number;
  accepted: number;
  duplicates: number;
  rejected: number;
}

/** What an answer says. */
export interface Reading {
  /** `again`: the client is to come again. `strange`: no promise allows for such an answer. */
  verdict: 'done' | 'again' | 'strange';
  told: Told[];
  summary?: SummaryCounts;
  lastCommittedRecord?: number;
}

/** One request as it is sent, each time the same. */
export interface Sending {
  kind: string;
  path: string;
  headers: Record<string, string>;
  body: string | Buffer<ArrayBuffer>;
  records: readonly PlannedRecord[];
  /** Of an answer that came whole. */
  read: (answer: Exchange & { status: number }) => Reading;
  /** Of one that broke off: what it says so far. */
  readPartly?: (text: string) => Told[];
}

export const nameOf = (record: PlannedRecord): string => ('event' in record ? record.event.name : record.broken.name);

/** What a client is told to send again later. */
export const isLater = (status: number): boolean => status === 429 || status === 503;
