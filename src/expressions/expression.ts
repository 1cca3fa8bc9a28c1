import jsonata, { type ExprNode, type JsonataError } from 'jsonata';
import { sharedProcess, type ExpressionProcess } from './expression-process';
import type { ExpressionScope, Found } from './expression-scope';
import { JsonDocument } from './json-document';
import { LinearRegExp } from './linear-regexp';
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
export const MAX_EXPRESSION_LENGTH = 8_192;
/** Longest regular expressions of one expression together. Compiling them takes up to 250 ms at this length. */
const MAX_PATTERN_LENGTH = 1_000;

/**
 * Compiles a JSON Pointer (empty, or with a slash at the beginning) or a JSONata expression. JSONata that computes is
 * evaluated by `process`.
 * @throws {ExpressionError}
 */
export function compileExpression(
  text: string,
  process: Pick<ExpressionProcess, 'evaluate'> = sharedProcess,
): Expression {
  if (text.length > MAX_EXPRESSION_LENGTH) {
    throw new ExpressionError(`is longer than ${MAX_EXPRESSION_LENGTH} characters`, MAX_EXPRESSION_LENGTH);
  }
  if (text === '' || text.startsWith('/')) return { text, find: pointerFinder(text) };
  const ast = parseJsonata(text);
  const constant = constantOf(ast);
  if (constant) return { text, find: () => constant };
  const path = plainPathOf(ast);
  if (!path) return { text, find: (scope) => process.evaluate(text, scope) };
  return { text, find: (scope) => findByPath(path, scope) ?? process.evaluate(text, scope) };
}

/** @throws {ExpressionError} */
function pointerFinder(text: string): Expression['find'] {
  const pointer = parsePointer(text);
  if ('badEscapeAt' in pointer) {
    const at = pointer.badEscapeAt;
    throw new ExpressionError(`has a ~ at position ${at} that is not followed by 0 or 1: write ~0 for ~, ~1 for /`, at);
  }
  return ({ document }) => {
    const json = document.at(pointer.segments);
    return json ? { json } : { nothing: true };
  };
}

/** Returns what a text, number, true, false or null in an expression stands for. */
function constantOf({ type, value, ...more }: ExprNode): Found | undefined {
  if (!['string', 'number', 'value'].includes(type) || Object.keys(more).some((name) => name !== 'position')) return;
  return { json: new JsonDocument(JSON.stringify(value), value) };
}

/** @throws {ExpressionError} */
function parseJsonata(text: string): ExprNode {
  let position = 0;
  try {
    const ast = jsonata(text).ast();
    const patterns = patternsIn(ast);
    if (patterns.reduce((sum, { value }) => sum + value.source.length, 0) > MAX_PATTERN_LENGTH) {
      throw new ExpressionError(`has regular expressions of more than ${MAX_PATTERN_LENGTH} characters`, 0);
    }
    for (const pattern of patterns) {
      ({ position } = pattern);
      new LinearRegExp(pattern.value); // throws for what the engine of the evaluation does not support
    }
    return ast;
  } catch (error) {
    if (error instanceof ExpressionError) throw error;
    if (error instanceof RangeError) throw new ExpressionError('is nested too deeply', 0);
    const { message = String(error), position: at = position } = error as Partial<JsonataError>;
    throw new ExpressionError(`is not valid JSONata: ${message} (at position ${at})`, at);
  }
}

/** Returns the regular expressions of an expression. */
function patternsIn(ast: ExprNode): { value: RegExp; position: number }[] {
  const found: { value: RegExp; position: number }[] = [];
  const open: unknown[] = [ast];
  const seen = new Set<unknown>();
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node !== 'object' || node === null || seen.has(node)) continue;
    seen.add(node);
    const { value, position } = node as { value?: unknown; position?: number };
    if (value instanceof RegExp) found.push({ value, position: position ?? 0 });
    open.push(...(Object.values(node) as unknown[]));
  }
  return found;
}
