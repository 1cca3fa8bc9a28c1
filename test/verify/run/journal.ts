import { createWriteStream, type WriteStream } from 'node:fs';
import type { FaultKind, ProcessName, ServerName, TargetName, WayBack } from '../faults/schedule';
import type { Manner } from '../load/slow/planned-upload';
import type { UploadEnd } from '../load/slow/slow-upload';
import type { SentToSource, SummaryCounts, Told } from '../load/sending';

/** What clients, operators and receivers observed, and what was done to the processes and servers. */
export type Entry = { atMs: number } & (
  | {
      kind: 'sent';
      request: number;
      to: string;
      /** Kind of request. */
      what: string;
      names: string[];
      /** The expected rejection code of each record; null if the record is valid. */
      codes: (string | null)[];
      toSource?: SentToSource | undefined;
      /** The text of each record that must be rejected; null if the record is valid. Sources have theirs in toSource. */
      refused?: (string | null)[] | undefined;
    }
  | {
      kind: 'answered';
      request: number;
      status: number;
      told: Told[];
      summary?: SummaryCounts | undefined;
      lastCommittedRecord?: number | undefined;
      /** What became of a request of a source. */
      result?: string | undefined;
    }
  | { kind: 'unanswered'; request: number; reason: string; told: Told[] }
  /** A response that the API does not allow. */
  | { kind: 'strange'; request: number; status: number; text: string; told: Told[] }
  /** A client got no response long after everything was up again. */
  | { kind: 'given up'; what: string; names: string[] }
  | OperatorEntry
  /** A destination was paused for certain between these times. */
  | { kind: 'paused'; destination: string; surelyMs: number; toMs: number }
  | DeliveredEntry
  /** The fault with this number begins or ends. */
  | { kind: 'fault'; phase: 'begins' | 'ends'; fault: number; what: FaultKind; target: TargetName; text: string }
  /** What PostgreSQL commits from now on is lost when it goes back in time. */
  | { kind: 'last kept'; way: WayBack }
  /** Another installation ran on the virtual host. */
  | StrangerEntry
  | { kind: 'started'; process: string; pid: number; url: string }
  /** A process ended by itself. */
  | { kind: 'crashed'; process: string; output: string }
  /** A process ended after SIGTERM. */
  | { kind: 'ended'; process: string; code: number | null; tookMs: number }
  /** Leases in the outbox after all publishers have ended. */
  | { kind: 'leases left'; acquiredMs: number[] }
  /** A client did not read the results of its upload in time. Its request is also `sent`, and answered or not. */
  | {
      kind: 'slow reader';
      request: number;
      to: string;
      manner: Manner;
      sentMs: number;
      end: UploadEnd['kind'];
      why: string;
    }
  /** A firewall forgot connections to a server at `sinceMs`. The processes have not closed `kept` of them. */
  | { kind: 'forgotten'; server: ServerName; sinceMs: number; kept: number }
  /** A balancer sent these requests to an api around its SIGTERM. */
  | { kind: 'left'; process: ProcessName; signalledMs: number; requests: number[] }
  /** Ids of forged messages that no worker can read, so that workers park them. */
  | { kind: 'forged'; ids: string[] }
  | { kind: 'scraped'; process: string; pid: number; values: Record<string, number> }
);

/** An admin request with its response. */
export interface OperatorEntry {
  kind: 'operator';
  action: string;
  /** Correlation id of the request. */
  id: string;
  /** Idempotency key of the request, if it has one. Requests with the same key ask for one action. */
  key?: string | undefined;
  sentMs: number;
  request: Record<string, unknown>;
  status: number | undefined;
  body: Record<string, unknown> | undefined;
  text: string;
}

/** What another installation said and did, and what it had to do. */
export interface StrangerEntry {
  kind: 'stranger';
  sinceMs: number;
  /** What /ready said of RabbitMQ while the process was not ready, each once. */
  notReady: string[];
  /** How often it said that it is ready. */
  ready: number;
  /** Entries that wait in its outbox. */
  waiting: number;
  /** Entries that it has published, and attempts that it has made. */
  published: number;
  attempts: number;
}

/** A delivery at the receiver. `status` is undefined if the receiver broke the connection or did not respond. */
export interface DeliveredEntry {
  kind: 'delivered';
  destination: string;
  webhookId: string;
  name: string;
  body: string;
  status: number | undefined;
  /** Libraries that could not verify the delivery with any known secret. */
  unverifiedBy: string[];
}

export type EntryOf<Kind extends Entry['kind']> = Extract<Entry, { kind: Kind }>;
type Unstamped<E> = E extends unknown ? Omit<E, 'atMs'> : never;

/** Append-only log of a run, in memory for the oracle and in a file for people. */
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
