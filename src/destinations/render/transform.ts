import { compileExpression } from '../../expressions/expression';
import type { ExpressionProcess } from '../../expressions/expression-process';
import type { ExpressionScope } from '../../expressions/expression-scope';
import type { JsonDocument } from '../../expressions/json-document';

/** What a transform has made of an event, or why it has made nothing. */
export type Transformed = { json: string } | { failure: string };

export type Transform = (event: JsonDocument) => Transformed | Promise<Transformed>;

/**
 * Compiles JSONata or a JSON Pointer over the normalised event.
 * @param mostBytes of a result
 * @throws ExpressionError
 */
export function compileTransform(
  text: string,
  evaluator: Pick<ExpressionProcess, 'evaluate'>,
  mostBytes: number,
): Transform {
  const expression = compileExpression(text, evaluator);
  const toTransformed = (found: Awaited<ReturnType<typeof expression.find>>): Transformed => {
    if ('failure' in found) return { failure: `the transform failed: ${found.failure}` };
    if ('nothing' in found) return { failure: 'the transform failed: it yields nothing' };
    const json = found.json.text;
    const isTooLarge = Buffer.byteLength(json) > mostBytes;
    return isTooLarge ? { failure: `the transform failed: result larger than ${mostBytes} bytes` } : { json };
  };
  return (event) => {
    const found = expression.find(scopeOf(event));
    return found instanceof Promise ? found.then(toTransformed) : toTransformed(found);
  };
}

const scopeOf = (document: JsonDocument): ExpressionScope => ({
  document,
  body: document,
  headers: {},
  query: {},
  path: '',
});
