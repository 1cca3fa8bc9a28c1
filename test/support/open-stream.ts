import { request, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { createInterface } from 'node:readline';
import type { Summary } from './e2e-http';

export interface Line {
  record?: number;
  status?: string | number;
  id?: string;
  eventId?: string;
  code?: string;
  message?: string;
  summary?: Summary;
  lastCommittedRecord?: number;
}

export const LINES = { accept: 'application/x-ndjson' };

/** An upload that stays open. The lines of its response are read only on request. */
export class OpenStream {
  private readonly response: Promise<IncomingMessage>;
  private lines: AsyncIterator<string> | undefined;
  private readonly outgoing: ClientRequest;

  constructor(url: string, tenant: string, headers: OutgoingHttpHeaders = {}) {
    const all = { 'content-type': 'application/x-ndjson', 'x-tenant-id': tenant, ...LINES, ...headers };
    this.outgoing = request(`${url}/v1/ingest/stream`, { method: 'POST', headers: all, agent: false });
    this.outgoing.setNoDelay(true);
    this.response = new Promise((resolve, reject) => this.outgoing.on('response', resolve).on('error', reject));
    this.response.catch(() => undefined);
  }

  /** Resolves when the text has been handed to the operating system. */
  write(text: string): Promise<void> {
    return new Promise((resolve) => this.outgoing.write(text, () => resolve()));
  }

  end(): void {
    this.outgoing.end();
  }

  hangUp(): void {
    this.outgoing.on('error', () => undefined);
    const ignoreErrors = (response: IncomingMessage): unknown => response.on('error', () => undefined);
    this.response.then(ignoreErrors, () => undefined); // there may be no response yet
    this.outgoing.socket?.resetAndDestroy();
  }

  async next(): Promise<Line | undefined> {
    this.lines ??= createInterface({ input: await this.response })[Symbol.asyncIterator]();
    const next = await this.lines.next();
    return next.done ? undefined : (JSON.parse(next.value) as Line);
  }

  async rest(): Promise<Line[]> {
    const all: Line[] = [];
    for (let next = await this.next(); next; next = await this.next()) all.push(next);
    return all;
  }
}
