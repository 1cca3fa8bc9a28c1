import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal } from '../run/journal';
import { exchange } from './exchange';
import type { PlannedEvent } from './planned-event';
import { nameOf, type Sending } from './sending';

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

/** Sends requests to the api processes in turn, and keeps their responses in the journal. */
export class Sender {
  constructor(
    private readonly outside: Outside,
    private turn: number,
    /** Of one request. */
    private readonly timeoutMs = TIMEOUT_MS,
  ) {}

  /** Sends a request, unchanged again until it gets a final response. Returns false if it gave up. */
  async untilAnswered(sending: Sending): Promise<boolean> {
    const deadlineMs = Date.now() + GIVE_UP_AFTER_MS;
    while (!(await this.once(sending)).isFinal) {
      if (Date.now() > deadlineMs) {
        const names = sending.records.map(nameOf);
        this.outside.journal.append({ kind: 'given up', what: sending.kind, names });
        return false;
      }
      await sleep(PAUSE_BEFORE_RETRY_MS);
    }
    return true;
  }

  /** Returns the number of the request. It has to be sent again if its response is not final. */
  async once(sending: Sending): Promise<{ request: number; isFinal: boolean }> {
    const { kind, path, headers, body, records, toSource, read, readPartly } = sending;
    const { journal, apis, sent } = this.outside;
    const request = journal.nextRequest();
    const to = apis[this.turn++ % apis.length] as string;
    for (const record of records) if ('event' in record) sent.set(record.event.name, record.event);
    const codes = records.map((record) => ('event' in record ? null : record.broken.code));
    const refused = toSource ? undefined : records.map((record) => ('event' in record ? null : record.broken.text));
    journal.append({ kind: 'sent', request, to, what: kind, names: records.map(nameOf), codes, toSource, refused });
    const withId = { ...headers, 'x-correlation-id': correlationOf(request) };
    const answer = await exchange(`${to}${path}`, { method: 'POST', headers: withId, body }, this.timeoutMs);
    const { status, text, broken } = answer;
    if (status === undefined || broken !== undefined) {
      const told = status === 200 && readPartly ? readPartly(text) : []; // complete lines count
      journal.append({ kind: 'unanswered', request, reason: broken ?? '', told });
      return { request, isFinal: false };
    }
    const reading = read({ ...answer, status });
    const named = answer.headers['x-correlation-id'] === correlationOf(request);
    if (reading.next === 'strange' || !named) {
      journal.append({ kind: 'strange', request, status, text: text.slice(0, 2_000), told: reading.told });
      return { request, isFinal: true };
    }
    const { told, summary, lastCommittedRecord, result } = reading;
    journal.append({ kind: 'answered', request, status, told, summary, lastCommittedRecord, result });
    return { request, isFinal: reading.next === 'done' };
  }
}

/** The X-Correlation-Id of a request. Events without a correlation id of their own are stored with it. */
export const correlationOf = (request: number): string => `request-${request}`;
