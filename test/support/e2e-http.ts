import { request, type Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { ADMIN_TOKEN } from './app';

export interface Answer<T> {
  status: number;
  headers: IncomingHttpHeaders;
  /** The body as text. Parsing it would round the numbers that tests compare. */
  text: string;
  body: T;
}

/** 202 and 200 of POST /v1/events. */
export interface AcceptedAnswer {
  status: 'accepted' | 'duplicate';
  duplicate: boolean;
  id: string;
  eventId: string;
  tenantId: string;
  type: string;
  subject: string;
  partitionKey: string;
  hash: string;
  correlationId: string;
  receivedAt: string;
}

/** The fields of GET /v1/events/{id} that the tests use. */
export interface EventAnswer {
  id: string;
  eventId: string;
  status: string;
  attempts: {
    attemptNumber: number;
    dispatch: number;
    status: string;
    reasonCode: string;
    errorMessage: string | null;
    createdAt: string;
  }[];
  publishedAt: string | null;
  completedAt: string | null;
  [field: string]: unknown;
}

export interface Summary {
  records: number;
  accepted: number;
  duplicates: number;
  rejected: number;
  bytes: number;
}

/** 202, 207 and 422 of POST /v1/ingest/stream. */
export interface StreamEndpoint {
  status: 'accepted' | 'partial' | 'rejected';
  summary: Summary;
  errors: { record: number; code: string; message: string; pointer?: string }[];
  errorsTruncated: boolean;
  correlationId: string;
  code?: string;
}

export interface ProblemAnswer {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  retryable: boolean;
  correlationId: string;
  errors?: { pointer: string; code: string; message: string }[];
  summary?: Summary;
  lastCommittedRecord?: number;
}

export interface Call {
  method?: string;
  headers?: OutgoingHttpHeaders;
  /** A Readable is sent with chunked encoding, one HTTP chunk for each of its chunks. */
  body?: string | Buffer | Readable;
  /** By default, every request has its own connection. */
  agent?: Agent;
}

/** Sends one plain HTTP request. For tests of what supertest would change or buffer. */
export function call<T>(url: string, { method = 'GET', headers = {}, body, agent }: Call = {}): Promise<Answer<T>> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: agent ?? false });
    let answered = false;
    outgoing.on('response', (incoming) => {
      answered = true;
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const isJson = (incoming.headers['content-type'] ?? '').includes('json');
        const parsed = (isJson ? JSON.parse(text) : undefined) as T;
        resolve({ status: incoming.statusCode as number, headers: incoming.headers, text, body: parsed });
      });
    });
    // A server that responds early closes the connection. The rest of the request is lost, and that is no failure.
    outgoing.on('error', (error) => (answered ? undefined : reject(error)));
    if (body instanceof Readable) body.on('error', reject).pipe(outgoing);
    else outgoing.end(body);
  });
}

export function postEvent(url: string, tenant: string, body: string, headers: OutgoingHttpHeaders = {}, agent?: Agent) {
  return call<AcceptedAnswer>(`${url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-tenant-id': tenant, ...headers },
    body,
    agent,
  });
}

export function postStream<T = StreamEndpoint>(
  url: string,
  tenant: string,
  body: string | Buffer | Readable,
  headers: OutgoingHttpHeaders = {},
  agent?: Agent,
) {
  return call<T>(`${url}/v1/ingest/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', 'x-tenant-id': tenant, ...headers },
    body,
    agent,
  });
}

export function getEvent(url: string, tenant: string, id: string, agent?: Agent) {
  const path = `/v1/events/${encodeURIComponent(id)}`;
  return call<EventAnswer>(`${url}${path}`, { headers: { 'x-tenant-id': tenant }, agent });
}

/** Returns the number of events that usage counts for a tenant. */
export async function usageOf(url: string, tenant: string): Promise<number> {
  const answer = await call<{ usage: { processed: number }[] }>(`${url}/v1/admin/usage?tenantId=${tenant}`, {
    headers: { 'x-admin-token': ADMIN_TOKEN },
  });
  if (answer.status !== 200) throw new Error(`usage answered ${answer.status}: ${answer.text}`);
  return answer.body.usage.reduce((sum, { processed }) => sum + processed, 0);
}

/** Sends these bytes over a bare connection. Resolves with all received bytes when the server closes the connection. */
export function rawExchange(url: string, bytes: string, timeoutMs = 5_000): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let received = '';
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no end within ${timeoutMs} ms; so far: ${received}`)));
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('utf8')));
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
  });
}

/** Parses the JSON body of a response from a bare connection. */
export function bodyOfRaw<T>(answer: string): T {
  const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
  return JSON.parse(body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1)) as T;
}

/** Expects what RFC 9457 and the contract require of every error response. */
export function expectProblem(
  answer: { status: number; headers: Record<string, unknown>; text: string },
  status: number,
  code: string,
): ProblemAnswer {
  expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(`"${code}"`)]);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  const problem = JSON.parse(answer.text) as ProblemAnswer;
  expect(problem).toMatchObject({ type: `urn:streamforge:problem:${code}`, status, code });
  expect(problem.title).toMatch(/\S/);
  expect(problem.detail).toMatch(/\S/);
  expect(typeof problem.retryable).toBe('boolean');
  expect(problem.correlationId).toBe(answer.headers['x-correlation-id']);
  expect(answer.text).not.toMatch(/stack|node_modules|\.[jt]s:\d+|\bat .+:\d+:\d+|\bselect\b.*\bfrom\b|127\.0\.0\.1/i);
  return problem;
}
