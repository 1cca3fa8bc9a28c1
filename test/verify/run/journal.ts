import { createWriteStream, type WriteStream } from 'node:fs';
import type { FaultKind, TargetName } from '../faults/schedule';
import type { SummaryCounts, Told } from '../load/sending';

/** What clients, operators and receivers saw, and what was done to the installation, as it happened. */
export type Entry = { atMs: number } & (
  | {
      kind: 'sent';
      request: number;
      to: string;
      /** Kind of request. */
      what: string;
      names: string[];
      /** By record: the code with which it has to be refused; null where it has to be taken. */
      codes: (string | null)[];
    }
  | {
      kind: 'answered';
      request: number;
      status: number;
      told: Told[];
      summary?: SummaryCounts | undefined;
      lastCommittedRecord?: number | undefined;
    }
  | { kind: 'unanswered'; request: number; reason: string; told: Told[] }
  /** An answer that no promise allows for. */
  | { kind: 'strange'; request: number; status: number; text: string; told: Told[] }
  /** A client that got no answer though everything was up. */
  | { kind: 'given up'; what: string; names: string[] }
  | OperatorEntry
  | DeliveredEntry
  /** Fault number `fault` of the run begins or is over. */
  | { kind: 'fault'; phase: 'begins' | 'ends'; fault: number; what: FaultKind; target: TargetName; text: string }
  | { kind: 'started'; process: string; pid: number; url: string }
  /** A process of ours ended though nobody ended it. */
  | { kind: 'crashed'; process: string; output: string }
  /** It was asked to end by SIGTERM. */
  | { kind: 'ended'; process: string; code: number | null; tookMs: number }
  /** When no publisher ran any more, after SIGTERM: outbox entries that are leased, and since when. */
  | { kind: 'leases left'; acquiredMs: number[] }
  /** Events whose cached facts were overwritten. */
  | { kind: 'forged'; ids: string[] }
  | { kind: 'scraped'; process: string; pid: number; values: Record<string, number> }
);

/** A request of an operator, when its answer came or failed to come. `sentMs`: when it was sent. */
export interface OperatorEntry {
  kind: 'operator';
  action: string;
  /** Its correlation id. */
  id: string;
  sentMs: number;
  request: Record<string, unknown>;
  status: number | undefined;
  body: Record<string, unknown> | undefined;
  text: string;
}

/** At a receiver. `status` is what it answered; undefined where it broke the connection or kept silent. */
export interface DeliveredEntry {
  kind: 'delivered';
  destination: string;
  webhookId: string;
  name: string;
  body: string;
  status: number | undefined;
  /** Names of the libraries that did not verify it with any secret that was ever told. */
  unverifiedBy: string[];
}

export type EntryOf<Kind extends Entry['kind']> = Extract<Entry, { kind: Kind }>;
type Unstamped<E> = E extends unknown ? Omit<E, 'atMs'> : never;

/** Append-only, in memory for the oracle and in a file for whoever has to find out what happened. */
export class Journal {
  readonly entries: Entry[] = [];
  readonly startedMs = Date.now();
  private readonly file: WriteStream;
  private requests = 0;

  constructor(path: string) {
    this.file = createWriteStream(path);
  }

  get nowMs(): number {
    return Date.now() - this.startedMs;
  }

  append(entry: Unstamped<Entry>): void {
    const stamped = { atMs: this.nowMs, ...entry };
    this.entries.push(stamped);
    this.file.write(`${JSON.stringify(stamped)}\n`);
  }

  nextRequest(): number {
    return this.requests++;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.file.end(resolve));
  }
}

export function entriesOf<Kind extends Entry['kind']>(entries: readonly Entry[], kind: Kind): EntryOf<Kind>[] {
  return entries.filter((entry): entry is EntryOf<Kind> => entry.kind === kind);
}
