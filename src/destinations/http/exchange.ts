import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { HeadTap } from './head-tap';
import { readRefusedHead } from './response-head';

/** Maximum number of bytes read of a response. A connection with more to read is closed, not reused. */
const MOST_READ_BYTES = 65_536;
/** Bytes of a body that are kept for operators. */
const KEPT_BYTES = 1_024;
/** Time for the rest of a response after its status line. */
const REST_MS = 1_000;

export type ExchangeOutcome =
  | { kind: 'answered'; status: number; text: string; retryAfter?: string }
  | { kind: 'unanswered'; error: Error }
  | { kind: 'overdue' };

/**
 * One request and its response. A response counts once its status line is read. Whatever goes wrong after that closes
 * the connection, and the status stands. undici reuses a connection only after a complete response that its strict
 * parser accepts and that nothing follows.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  private tap: HeadTap | undefined;
  private controller: Dispatcher.DispatchController | undefined;
  private status: number | undefined;
  private retryAfter: string | undefined;
  private readonly body: Buffer[] = [];
  private bodyBytes = 0;
  private rest: NodeJS.Timeout | undefined;
  private isSettled = false;

  /** @param settle receives the outcome, once */
  constructor(private readonly settle: (outcome: ExchangeOutcome) => void) {}

  onTap(tap: HeadTap): void {
    this.tap = tap;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.isSettled) controller.abort(new Error('the time for a response is over'));
    else this.tap?.begin(() => (this.rest = setTimeout(() => this.stop(), REST_MS)));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.status = status;
    const { 'retry-after': retryAfter } = headers as Record<string, string | string[] | undefined>;
    this.retryAfter = Array.isArray(retryAfter) ? retryAfter[0] : retryAfter;
  }

  onResponseData(_controller: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.bodyBytes < KEPT_BYTES) this.body.push(bytes.subarray(0, KEPT_BYTES - this.bodyBytes));
    this.bodyBytes += bytes.length;
    if (this.bodyBytes > MOST_READ_BYTES) this.stop();
  }

  onResponseEnd(): void {
    this.finish({ kind: 'overdue' });
    // undici would send the next request after the rest of this one, which the receiver may never read.
    if (this.tap?.isSending) this.tap.close();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.finish({ kind: 'unanswered', error });
  }

  /** Ends the exchange with what has arrived so far, and closes its connection. */
  stop(): void {
    if (this.isSettled) return;
    this.finish({ kind: 'overdue' });
    if (this.controller) this.tap?.close();
  }

  /** @param without the outcome if there is no status */
  private finish(without: ExchangeOutcome): void {
    if (this.isSettled) return;
    this.isSettled = true;
    clearTimeout(this.rest);
    const outcome = this.answer() ?? without;
    // Before its request starts, the tap belongs to the request before it.
    if (this.controller) this.tap?.end();
    this.settle(outcome);
  }

  private answer(): ExchangeOutcome | undefined {
    if (this.status !== undefined) return answered(this.status, Buffer.concat(this.body), this.retryAfter);
    if (!this.controller || this.tap?.status === undefined) return undefined;
    const { retryAfter, body } = readRefusedHead(this.tap.text);
    return answered(this.tap.status, Buffer.from(body, 'latin1').subarray(0, KEPT_BYTES), retryAfter);
  }
}

function answered(status: number, body: Buffer, retryAfter: string | undefined): ExchangeOutcome {
  const text = body.toString('utf8').trim();
  return { kind: 'answered', status, text, ...(retryAfter === undefined ? {} : { retryAfter }) };
}
