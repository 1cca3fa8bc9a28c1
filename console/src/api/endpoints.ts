import type { components, paths } from './schema';

/** A path of openapi.json that has this method. */
export type PathWith<M extends 'get' | 'post' | 'patch' | 'put' | 'delete'> = {
  [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never;
}[keyof paths];

type Operation<M extends 'get' | 'post' | 'patch' | 'put', P extends keyof paths> =
  paths[P] extends Record<M, infer O> ? O : never;
type JsonOf<R> = R extends { content: { 'application/json': infer B } } ? B : never;
type Successes<R> = { [S in keyof R]: S extends 200 | 201 | 202 ? JsonOf<R[S]> : never }[keyof R];

/** The body of a successful response. */
export type ResponseOf<M extends 'get' | 'post' | 'patch' | 'put', P extends keyof paths> =
  Operation<M, P> extends { responses: infer R } ? Successes<R> : never;

export type BodyOf<M extends 'post' | 'patch' | 'put', P extends keyof paths> =
  Operation<M, P> extends { requestBody?: { content: { 'application/json': infer B } } } ? B : undefined;

export type QueryOf<P extends keyof paths> =
  Operation<'get', P> extends { parameters: { query?: infer Q } } ? Q : undefined;

export type PathValues<P extends string> = P extends `${string}{${infer Name}}${infer Rest}`
  ? Record<Name, string> & PathValues<Rest>
  : unknown;

export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name];
