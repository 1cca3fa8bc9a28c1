import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal } from '../run/journal';
import { exchange } from './exchange';
import type { PlannedEvent } from './planned-event';
import { requestsOf, type PlannedRequest } from './requests/planned-request';
import { brokenSingleOf, singleOf } from './requests/single';
import { streamOf } from './requests/stream';
import { webhookOf } from './requests/webhook';
import { nameOf, type Sending } from './sending';

/** Timeout of one request. */
const TIMEOUT_MS = 4_000;
const PAUSE_BEFORE_RETRY_MS = 250;
/** All servers are up again long before this. */
const GIVE_UP_AFTER_MS = 120_000;

/** Shared by all clients of a run. */
export interface Outside {
  apis: readonly string[];
  journal: Journal;
  /** Every event that was sent, by name. */
  sent: Map<string, PlannedEvent>;
}

/** Sends the planned requests of one client, each unchanged again until it gets a final response. */
export class Client {
  private stopped = false;
  private turn: number;

  constructor(
    private readonly seed: number,
    private readonly number: number,
    private readonly outside: Outside,
  ) {
    this.turn = number;
  }

  /** Sends until `stop`, then finishes the current request. */
  async run(): Promise<void> {
    for (const request of requestsOf(this.seed, this.number)) {
      if (this.stopped) return;
      await sleep(request.pauseMs);
      await this.send(request);
    }
  }

  stop(): void {
    this.stopped = true;
  }

  private async send(request: PlannedRequest): Promise<void> {
    if (request.kind === 'broken single') return this.untilAnswered(brokenSingleOf(request.tenant, request.broken));
    if (request.kind === 'single') {
      const single = singleOf(request.event);
      const copies = request.twice ? [single, single] : [single];
      await Promise.all(copies.map((copy) => this.untilAnswered(copy)));
      return;
    }
    if (request.kind === 'webhook') {
      const webhook = webhookOf(request.webhook);
      const copies = request.twice ? [webhook, webhook] : [webhook];
      await Promise.all(copies.map((copy) => this.untilAnswered(copy)));
      return;
    }
    const stream = streamOf(request.stream);
    await this.untilAnswered(stream);
    if (request.twice) await this.untilAnswered(stream);
  }

  private async untilAnswered(sending: Sending): Promise<void> {
    const deadlineMs = Date.now() + GIVE_UP_AFTER_MS;
    while (!(await this.attempt(sending))) {
      if (Date.now() > deadlineMs) {
        const names = sending.records.map(nameOf);
        this.outside.journal.append({ kind: 'given up', what: sending.kind, names });
        this.stopped = true;
        return;
      }
      await sleep(PAUSE_BEFORE_RETRY_MS);
    }
  }

  /** Returns false if the request has to be sent again. */
  private async attempt(sending: Sending): Promise<boolean> {
    const { kind, path, headers, body, records, toSource, read, readPartly } = sending;
    const { journal, apis, sent } = this.outside;
    const request = journal.nextRequest();
    const to = apis[this.turn++ % apis.length] as string;
    for (const record of records) if ('event' in record) sent.set(record.event.name, record.event);
    const codes = records.map((record) => ('event' in record ? null : record.broken.code));
    const refused = toSource ? undefined : records.map((record) => ('event' in record ? null : record.broken.text));
    journal.append({ kind: 'sent', request, to, what: kind, names: records.map(nameOf), codes, toSource, refused });
    const withId = { ...headers, 'x-correlation-id': correlationOf(request) };
    const answer = await exchange(`${to}${path}`, { method: 'POST', headers: withId, body }, TIMEOUT_MS);
    const { status, text, broken } = answer;
    if (status === undefined || broken !== undefined) {
      const told = status === 200 && readPartly ? readPartly(text) : []; // complete lines count
      journal.append({ kind: 'unanswered', request, reason: broken ?? '', told });
      return false;
    }
    const reading = read({ ...answer, status });
    const named = answer.headers['x-correlation-id'] === correlationOf(request);
    if (reading.next === 'strange' || !named) {
      journal.append({ kind: 'strange', request, status, text: text.slice(0, 2_000), told: reading.told });
      return true;
    }
    const { told, summary, lastCommittedRecord, result } = reading;
    journal.append({ kind: 'answered', request, status, told, summary, lastCommittedRecord, result });
    return reading.next === 'done';
  }
}

/** The X-Correlation-Id of a request. Events without a correlation id of their own are stored with it. */
export const correlationOf = (request: number): string => `request-${request}`;
