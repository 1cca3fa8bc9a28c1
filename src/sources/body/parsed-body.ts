import { MAX_DEPTH, type RecordRejection } from '../../event/prepare-event';
import type { ProblemCode } from '../../event/problems';

/** A body as JSON text. `fromJson` is true when the text is what the producer sent. */
export interface ReadBody {
  json: string;
  fromJson: boolean;
  /** The parsed text, where it had to be parsed anyway. */
  value?: unknown;
}

export type ParsedBody = ReadBody | { rejection: RecordRejection };

/** Limits of what a body may contain. Its size is limited where it is read. */
export interface BodyLimits {
  /** Nesting levels of the JSON text. A scalar has 0. */
  maxDepth: number;
  /** Fields of a form. */
  maxFields: number;
  /** Parts of a multipart body. */
  maxParts: number;
}

export const BODY_LIMITS: BodyLimits = { maxDepth: MAX_DEPTH, maxFields: 10_000, maxParts: 256 };

export function rejected(code: ProblemCode, message: string): { rejection: RecordRejection } {
  return { rejection: { code, message, errors: [] } };
}

export function malformedBody(message: string): { rejection: RecordRejection } {
  return rejected('malformed-body', message);
}

/** Returns a name of the producer's for a message. */
export function shown(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
}
