import jsonata from 'jsonata';
import type { ExpressionScope, Found } from './expression-scope';
import { findByPath, plainPathOf } from './plain-path';
import { parsePointer } from './pointer';

export interface Expression {
  /** The expression as it was written. */
  readonly text: string;
  /** Finds the value at once for a JSON Pointer, a plain path and a constant; otherwise returns a promise. */
  find(scope: ExpressionScope): Found | Promise<Found>;
}

/** An expression that cannot be compiled. The message is for the person who wrote it. */
export class ExpressionError extends Error {
  constructor(
    message: string,
    /** Where in the expression, counted in characters from 0. */
    readonly position: number,
  ) {
    super(message);
  }
}

/** Longest expression, in characters. Parsing blocks the process, and its time grows with the length. */
export const MAX_EXPRESSION_LENGTH = 16_384;

/**
 * Compiles a JSON Pointer (empty, or with a slash at the beginning) or a JSONata expression.
 * @throws {ExpressionError}
 */
export function compileExpression(text: string): Expression {
  if (text.length > MAX_EXPRESSION_LENGTH) {
    throw new ExpressionError(`is longer than ${MAX_EXPRESSION_LENGTH} characters`, MAX_EXPRESSION_LENGTH);
  }
  if (text === '' || text.startsWith('/')) return compilePointer(text);
  const ast = parseJsonata(text);
  const path = plainPathOf(ast);
  if (!path) throw new ExpressionError('is neither a JSON Pointer nor a plain path', 0);
  return {
    text,
    find: (scope) => findByPath(path, scope) ?? { failure: 'leads through an array' },
  };
}

function compilePointer(text: string): Expression {
  const pointer = parsePointer(text);
  if ('badEscapeAt' in pointer) {
    const at = pointer.badEscapeAt;
    throw new ExpressionError(`has a ~ at position ${at} that is not followed by 0 or 1: write ~0 for ~, ~1 for /`, at);
  }
  const { segments } = pointer;
  return {
    text,
    find({ document }) {
      const json = document.at(segments);
      return json ? { json } : { nothing: true };
    },
  };
}

/** @throws {ExpressionError} */
function parseJsonata(text: string): jsonata.ExprNode {
  try {
    return jsonata(text).ast();
  } catch (error) {
    if (error instanceof RangeError) throw new ExpressionError('is nested too deeply', 0);
    const { message, position = 0 } = error as Partial<jsonata.JsonataError>;
    throw new ExpressionError(`is not valid JSONata: ${message ?? String(error)} (at position ${position})`, position);
  }
}
