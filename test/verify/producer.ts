import { setTimeout as sleep } from 'node:timers/promises';
import { ADMIN_TOKEN } from '../support/app';
import { exchange, type Exchange } from './exchange';
import type { Acknowledged, Journal } from './journal';
import { keyOf, requestsOf, type PlannedEvent, type PlannedRequest } from './load';

/** A client's patience with one request. */
const TIMEOUT_MS = 4_000;
const PAUSE_BEFORE_RETRY_MS = 250;
/** Everything is up again long before; whoever still gets no answer then has found a fault. */
const GIVE_UP_AFTER_MS = 120_000;
/** What a client is told to send again later. */
const LATER = [429, 503];

interface Sending {
  path: string;
  headers: Record<string, string>;
  body: string;
  events: readonly PlannedEvent[];
  acknowledged: (answer: Exchange) => Acknowledged[];
}

/** One client: sends what its seed says, and each request again, unchanged, until somebody answers it. */
export class Producer {
  private stopped = false;
  private turn: number;

  constructor(
    private readonly seed: number,
    private readonly client: number,
    private readonly apis: readonly string[],
    private readonly journal: Journal,
  ) {
    this.turn = client;
  }

  /** Sends until `stop`; then ends with the request in hand. */
  async run(): Promise<void> {
    for (const request of requestsOf(this.seed, this.client)) {
      if (this.stopped) return;
      await sleep(request.pauseMs);
      await this.send(request);
    }
  }

  stop(): void {
    this.stopped = true;
  }

  private async send(request: PlannedRequest): Promise<void> {
    if (request.kind === 'replay') return this.replay(request);
    if (request.kind === 'stream') return this.untilAnswered(streamOf(request));
    const post = postOf(request.event);
    await Promise.all(
      request.twice ? [this.untilAnswered(post), this.untilAnswered(post)] : [this.untilAnswered(post)],
    );
  }

  private async untilAnswered(sending: Sending): Promise<void> {
    const deadlineMs = Date.now() + GIVE_UP_AFTER_MS;
    while (!(await this.attempt(sending))) {
      if (Date.now() > deadlineMs) throw new Error(`client ${this.client} gave up: ${sending.body.slice(0, 200)}`);
      await sleep(PAUSE_BEFORE_RETRY_MS);
    }
  }

  /** False when it has to be sent again. */
  private async attempt({ path, headers, body, events, acknowledged }: Sending): Promise<boolean> {
    const { journal } = this;
    const request = journal.nextRequest();
    const to = this.nextApi();
    journal.append({ kind: 'sent', request, to, names: events.map(({ name }) => name) });
    const answer = await exchange(`${to}${path}`, { method: 'POST', headers, body }, TIMEOUT_MS);
    const { status, text, broken } = answer;
    if (status === undefined || broken !== undefined) {
      const known = status === 200 ? acknowledged(answer) : []; // lines of a stream that broke off count as they came
      journal.append({ kind: 'unanswered', request, reason: broken ?? '', acknowledged: known });
      return false;
    }
    const known = acknowledged(answer);
    const complete = status < 300 && known.length === events.length;
    if (!complete && !mayBeSentAgain(answer)) {
      journal.append({ kind: 'strange', request, status, text: text.slice(0, 2_000) });
      return true;
    }
    journal.append({ kind: 'answered', request, status, acknowledged: known });
    return complete;
  }

  /** Not sent again without an answer: each request is a replay of its own. */
  private async replay({ tenant, limit }: { tenant: string; limit: number }): Promise<void> {
    const headers = { 'content-type': 'application/json', 'x-admin-token': ADMIN_TOKEN };
    const body = JSON.stringify({ tenantId: tenant, status: 'COMPLETED', mode: 'reprocess', limit });
    const { status, text, broken } = await exchange(
      `${this.nextApi()}/v1/admin/replay`,
      { method: 'POST', headers, body },
      TIMEOUT_MS,
    );
    const started = status === 202 && broken === undefined;
    const replayId = started ? (JSON.parse(text) as { replayId: string }).replayId : undefined;
    this.journal.append({ kind: 'replay', tenant, status, replayId, reason: broken ?? (started ? '' : text) });
  }

  private nextApi(): string {
    return this.apis[this.turn++ % this.apis.length] as string;
  }
}

function postOf(event: PlannedEvent): Sending {
  const key = keyOf(event);
  return {
    path: '/v1/events',
    headers: headersOf(event.tenant, 'application/json', key),
    body: event.line,
    events: [event],
    acknowledged: ({ status = 0, text }) =>
      status < 300 ? [{ name: event.name, id: (JSON.parse(text) as { id: string }).id }] : [],
  };
}

function streamOf({ tenant, events, key, lineByLine }: Extract<PlannedRequest, { kind: 'stream' }>): Sending {
  const headers = headersOf(tenant, 'application/x-ndjson', key);
  return {
    path: '/v1/ingest/stream',
    headers: lineByLine ? { ...headers, accept: 'application/x-ndjson' } : headers,
    body: events.map(({ line }) => `${line}\n`).join(''),
    events,
    acknowledged: lineByLine ? (answer) => fromLines(answer, events) : (answer) => fromSummary(answer, events),
  };
}

function headersOf(tenant: string, contentType: string, key: string | undefined): Record<string, string> {
  const always = { 'content-type': contentType, 'x-tenant-id': tenant };
  return key === undefined ? always : { ...always, 'x-idempotency-key': key };
}

/** Whole lines only: the last one may have been cut off. */
function fromLines({ text }: Exchange, events: readonly PlannedEvent[]): Acknowledged[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.flatMap((line) => {
    const { record, status, id } = JSON.parse(line) as { record?: number; status?: string | number; id?: string };
    const taken = status === 'accepted' || status === 'duplicate';
    return record !== undefined && taken && id ? [{ name: (events[record - 1] as PlannedEvent).name, id }] : [];
  });
}

/** All of a stream that was taken whole; of one that broke off, those up to the last that is committed. */
function fromSummary({ text }: Exchange, events: readonly PlannedEvent[]): Acknowledged[] {
  const { summary, lastCommittedRecord } = JSON.parse(text) as {
    summary?: { records: number; rejected: number };
    lastCommittedRecord?: number;
  };
  if (!summary || summary.rejected > 0) return [];
  return events.slice(0, lastCommittedRecord ?? summary.records).map(({ name }) => ({ name }));
}

/** A stream that is answered line by line says in its last line that it broke off. */
function mayBeSentAgain({ status, text }: Exchange): boolean {
  if (LATER.includes(status as number)) return true;
  const lastLine = text.trimEnd().split('\n').at(-1) as string;
  return status === 200 && /"status":503\b/.test(lastLine);
}
