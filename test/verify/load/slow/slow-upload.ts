import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { isNativeError } from 'node:util/types';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Told } from '../sending';
import type { PlannedUpload } from './planned-upload';
import { UploadResults, type Verdict } from './upload-results';

const LINES = 'application/x-ndjson';
/** Rounds of all events that are written at a time. */
const ROUNDS = 8;
/** What a slow reader reads of the results, and how long it then waits. */
const SIP = { bytes: 65_536, pauseMs: 50 };
/** One that reads nothing goes on sending so many empty lines: only a write shows that the connection has ended. */
const STILL_THERE_MS = 200;
/** Many times the longest that any of this takes, an api that stands still included. */
const GIVE_UP_AFTER_MS = 60_000;

/**
 * How an upload ended. `ended`: the connection ended before all results were there. `kept`: the connection was still there
 * after a minute, without all results.
 */
export interface UploadEnd {
  kind: Exclude<Verdict, 'incomplete'> | 'ended' | 'kept';
  /** HTTP status of the response; undefined if there was none, or nobody read it. */
  status: number | undefined;
  why: string;
  told: Told[];
}

/** Sends a stream and reads its results in the manner that is planned. */
export async function uploadSlowly(api: string, upload: PlannedUpload, correlationId: string): Promise<UploadEnd> {
  const { manner, tenant, events, times, lateMs } = upload;
  const names = events.map(({ name }) => name);
  const results = new UploadResults(names, times * names.length);
  const connection = new Connection(api, { 'x-tenant-id': tenant, 'x-correlation-id': correlationId });
  const text = events.map((event) => `${event.text}\n`).join('');
  try {
    const sending = connection.send(text.repeat(ROUNDS), times / ROUNDS);
    if (manner === 'never') {
      await sending;
      await connection.untilEnded();
    } else {
      void sending.then(() => connection.end());
      if (manner === 'late') await connection.untilItStands(lateMs);
      await connection.read((piece) => results.take(piece), manner === 'slowly' ? SIP.pauseMs : 0);
    }
  } catch (error) {
    if (!isOfConnection(error)) throw error;
    connection.why ??= String(error.code);
  } finally {
    connection.close();
  }
  return endOf(connection, results);
}

function endOf({ status, why = '', gaveUp, refusal }: Connection, results: UploadResults): UploadEnd {
  const { told, verdict } = results;
  if (status !== undefined && status !== 200) {
    return { kind: status === 503 || status === 429 ? 'later' : 'strange', status, why: refusal, told };
  }
  if (verdict !== 'incomplete') return { kind: verdict, status, why: results.describe(), told };
  return { kind: gaveUp ? 'kept' : 'ended', status, why, told };
}

class Connection {
  /** Why it has ended. */
  why: string | undefined;
  gaveUp = false;
  status: number | undefined;
  /** The text of a response that is not 200. */
  refusal = '';
  private readonly outgoing: ClientRequest;
  private readonly response: Promise<IncomingMessage>;
  private readonly closed: Promise<void>;
  private readonly deadline: NodeJS.Timeout;
  private isClosed = false;
  private movedMs = Date.now();

  constructor(api: string, headers: Record<string, string>) {
    const all = { 'content-type': LINES, accept: LINES, ...headers };
    this.outgoing = request(`${api}/v1/ingest/stream`, { method: 'POST', headers: all, agent: false });
    this.response = new Promise((resolve, reject) => {
      this.outgoing.once('response', resolve);
      this.outgoing.on('error', (error: NodeJS.ErrnoException) => {
        this.why ??= error.code ?? error.message;
        reject(error);
      });
    });
    this.response.then(
      (response) => {
        this.status = response.statusCode;
        response.on('error', () => undefined); // whoever reads it is told as well
      },
      () => undefined, // likewise
    );
    this.closed = new Promise((resolve) => this.outgoing.once('close', resolve));
    void this.closed.then(() => (this.isClosed = true));
    this.deadline = setTimeout(() => {
      this.gaveUp = true;
      this.outgoing.destroy();
    }, GIVE_UP_AFTER_MS);
  }

  /** Resolves when the system has taken everything, or the connection has ended. */
  async send(text: string, times: number): Promise<void> {
    for (let i = 0; i < times && !this.isClosed; i++) await this.write(text);
  }

  end(): void {
    if (!this.isClosed) this.outgoing.end();
  }

  /** Resolves when the connection has ended, or when the stream was refused. */
  async untilEnded(): Promise<void> {
    while (!this.isClosed && (this.status ?? 200) === 200) {
      await this.write('\n');
      await sleep(STILL_THERE_MS);
    }
  }

  /** Resolves when nothing more was taken for some time: everything was sent, or the server does not read on. */
  async untilItStands(forMs: number): Promise<void> {
    while (!this.isClosed && Date.now() - this.movedMs < forMs) await sleep(forMs / 8);
  }

  /** Reads the response to its end. @throws the error of the connection */
  async read(take: (text: string) => void, pauseMs: number): Promise<void> {
    const response = await Promise.race([this.response, this.closed]);
    if (!response) return;
    const decoder = new TextDecoder();
    let sipped = 0;
    for await (const bytes of response as AsyncIterable<Buffer>) {
      const text = decoder.decode(bytes, { stream: true });
      if (this.status === 200) take(text);
      else this.refusal += text;
      sipped += bytes.length;
      if (pauseMs === 0 || sipped < SIP.bytes) continue;
      sipped = 0;
      await sleep(pauseMs);
    }
  }

  close(): void {
    clearTimeout(this.deadline);
    this.outgoing.destroy();
  }

  private async write(text: string): Promise<void> {
    const taken = new Promise<void>((resolve) => this.outgoing.write(text, () => resolve()));
    await Promise.race([taken, this.closed]);
    this.movedMs = Date.now();
  }
}

const isOfConnection = (error: unknown): error is NodeJS.ErrnoException => isNativeError(error) && 'code' in error;
