import type { JsonDocument } from './json-document';

/** What an expression is evaluated over. */
export interface ExpressionScope {
  /** What names and pointers begin at: one record of a batch, else the whole body. */
  document: JsonDocument;
  /** The whole body, `$body`. */
  body: JsonDocument;
  /** `$headers`. Names may be in any case. */
  headers: Readonly<Record<string, string>>;
  /** `$query`. A repeated parameter is an array. */
  query: Readonly<Record<string, string | string[]>>;
  /** `$path`. */
  path: string;
}

/** What an expression found; nothing when the value does not exist; or why it could not be evaluated. */
export type Found = { json: JsonDocument } | { nothing: true } | { failure: string };
