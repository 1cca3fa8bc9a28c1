import { CliError, EXIT } from '../cli-error';
import { failureOf, type ShownProblem } from './problem-text';

/** A response with its body as it came: payloads keep their numbers in the text only. */
export interface ApiAnswer<T> {
  status: number;
  headers: Headers;
  text: string;
  body: T;
}

export interface ApiRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  query?: Record<string, QueryValue>;
  /** Sent as JSON, unless it is a text, which is JSON already, or bytes. */
  body?: object | string | Buffer<ArrayBuffer>;
  headers?: Record<string, string | undefined>;
  signal?: AbortSignal;
  /** When the request has failed unless it was answered. */
  timeoutMs?: number;
  /** Also these are no failures. */
  expected?: readonly number[];
}

type QueryValue = string | number | readonly string[] | undefined;

/** A request that is not answered within this time has failed. Streams have no such limit. */
const TIMEOUT_MS = 60_000;

/** Sends requests to one installation as one caller. Redirects are not followed: the token is for this server. */
export class ApiClient {
  constructor(
    readonly url: string,
    private readonly credentials: Record<string, string>,
  ) {}

  async call<T>(path: string, request: ApiRequest = {}): Promise<ApiAnswer<T>> {
    const signal = AbortSignal.any([
      AbortSignal.timeout(request.timeoutMs ?? TIMEOUT_MS),
      ...(request.signal === undefined ? [] : [request.signal]),
    ]);
    const response = await this.open(path, { ...request, signal });
    const text = await this.reached(() => response.text());
    return { status: response.status, headers: response.headers, text, body: jsonOr(text, undefined) as T };
  }

  /** Sends a request and returns the response with its body still to come. @throws CliError unless it is a success */
  async open(path: string, { method, query, body, headers, signal, expected = [] }: ApiRequest): Promise<Response> {
    const response = await this.reached(() =>
      fetch(`${this.url}${path}${queryOf(query)}`, {
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...this.credentials,
          ...given(headers),
        },
        body: body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
        redirect: 'manual',
        signal: signal ?? null,
      }),
    );
    if (response.ok || expected.includes(response.status)) return response;
    const problem = jsonOr(await this.reached(() => response.text()), {}) as ShownProblem;
    throw failureOf(response.status, problem, response.headers.get('x-correlation-id'));
  }

  private async reached<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw new CliError(unreachable(this.url, error), EXIT.unavailable, { retryable: true });
    }
  }
}

function unreachable(url: string, error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return `${url} did not answer in time.`;
  }
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const reason = cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : String(cause);
  return `${url} cannot be reached (${reason}). Is StreamForge running there? "streamforge dev" starts it on this machine.`;
}

function queryOf(query: Record<string, QueryValue> = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value ?? []].flat()) params.append(name, String(one));
  }
  return params.size === 0 ? '' : `?${params.toString()}`;
}

const given = (headers: Record<string, string | undefined> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

function jsonOr(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return otherwise;
    throw error;
  }
}
