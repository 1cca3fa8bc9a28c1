import { session } from '../session/session';
import type { BodyOf, PathValues, PathWith, QueryOf, ResponseOf } from './endpoints';
import { exchange, type Sent } from './exchange';
import { ApiProblem } from './problem';
import { urlOf } from './url-of';

export interface ReadOptions<P extends PathWith<'get'>> {
  path?: PathValues<P>;
  query?: NonNullable<QueryOf<P>> | undefined;
  signal?: AbortSignal;
}

/** Reads an endpoint. @throws ApiProblem, ConnectionLost */
export async function read<P extends PathWith<'get'>>(
  path: P,
  options: ReadOptions<P> = {},
): Promise<ResponseOf<'get', P>> {
  return JSON.parse(await readText(path, options)) as ResponseOf<'get', P>;
}

/** Reads an endpoint as the text that was sent, in which numbers have all their digits. @throws ApiProblem, ConnectionLost */
export function readText<P extends PathWith<'get'>>(path: P, options: ReadOptions<P> = {}): Promise<string> {
  const url = urlOf(path, options.path as Record<string, string> | undefined, options.query);
  return send({ method: 'GET', url, signal: options.signal });
}

export interface ActOptions<M extends 'post' | 'patch' | 'put', P extends PathWith<M>> {
  path?: PathValues<P>;
  body?: BodyOf<M, P> | undefined;
  /** Instead of `body`: its JSON text. */
  bodyText?: string;
  /** The same key for each try of one action, so that it is carried out once. */
  idempotencyKey?: string | undefined;
}

/** Carries out an action. It is never sent again by itself. @throws ApiProblem, ConnectionLost */
export async function act<M extends 'post' | 'patch' | 'put', P extends PathWith<M>>(
  method: M,
  path: P,
  options: ActOptions<M, P> = {},
): Promise<ResponseOf<M, P>> {
  return JSON.parse(await actText(method, path, options)) as ResponseOf<M, P>;
}

/** The same, with the response as the text that was sent. @throws ApiProblem, ConnectionLost */
export function actText<M extends 'post' | 'patch' | 'put', P extends PathWith<M>>(
  method: M,
  path: P,
  { path: values, body, bodyText, idempotencyKey }: ActOptions<M, P> = {},
): Promise<string> {
  const text = bodyText ?? (body === undefined ? undefined : JSON.stringify(body));
  const url = urlOf(path, values as Record<string, string> | undefined);
  return send({ method: method.toUpperCase(), url, body: text, idempotencyKey });
}

/**
 * Ends a thing. Doing it twice changes nothing more: what is not there has ended, for instance by a request whose response was
 * lost.
 * @throws ApiProblem, ConnectionLost
 */
export async function remove<P extends PathWith<'delete'>>(path: P, values: PathValues<P>): Promise<void> {
  try {
    await send({ method: 'DELETE', url: urlOf(path, values) });
  } catch (error) {
    if (!(error instanceof ApiProblem && error.status === 404)) throw error;
  }
}

/** A token that is not accepted any more leads back to the sign-in. */
async function send(sent: Sent): Promise<string> {
  const token = session.token();
  try {
    return await exchange(sent, token);
  } catch (error) {
    if (token !== undefined && isSignedOut(error)) session.expire(token, error.message);
    throw error;
  }
}

const isSignedOut = (error: unknown): error is ApiProblem =>
  error instanceof ApiProblem && error.status === 401 && error.code === 'admin-token-invalid';
