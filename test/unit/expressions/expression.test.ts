import { compileExpression, ExpressionError } from '../../../src/expressions/expression';
import type { ExpressionScope } from '../../../src/expressions/expression-scope';
import { JsonDocument } from '../../../src/expressions/json-document';

const BODY =
  '{"id": 12345678901234567890, "amount":10.10, "time":1e3, "a/b":{"~":1.0}, "":{"":2.0}, "none":null,' +
  '"data":{"object":{"id":"in_1","lines":[{"n":1.50},{"n":2.50}],"empty":[],"tags":["x"]}}, "x y":{"z-1":true},' +
  '"rows":[{"k":1},{"k":2}], "pairs":[[1],[2,3]], "twice":1, "twice":2.0}';
const body = new JsonDocument(BODY);
const scope: ExpressionScope = {
  document: body,
  body,
  headers: { 'x-github-event': 'issues', 'Content-Type': 'text/plain' },
  query: { a: 'one', b: ['two', 'three'] },
  path: '/hooks/x',
};

/** The text that an expression finds at once, without the thread. */
function textOf(expression: string, over = scope): string | undefined {
  const found = compileExpression(expression).find(over);
  if (found instanceof Promise || 'failure' in found) throw new Error(`not at once: ${expression}`);
  return 'json' in found ? found.json.text : undefined;
}

function errorOf(expression: string): ExpressionError {
  try {
    compileExpression(expression);
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  }
  throw new Error(`compiled: ${expression}`);
}

describe('a JSON Pointer', () => {
  it.each([
    ['', BODY],
    ['/id', '12345678901234567890'],
    ['/amount', '10.10'],
    ['/time', '1e3'],
    ['/a~1b/~0', '1.0'],
    ['//', '2.0'],
    ['/data/object/lines/1/n', '2.50'],
    ['/data/object/tags', '["x"]'],
    ['/none', 'null'],
    ['/x y/z-1', 'true'],
    ['/twice', '2.0'],
    ['/missing', undefined],
    ['/data/object/lines/2', undefined],
    ['/id/0', undefined],
  ])('%j finds %s', (pointer, text) => expect(textOf(pointer)).toBe(text));

  it.each([
    ['/a~', 2],
    ['/a~2b', 2],
    ['/~/x', 1],
  ])('%s has an escape that is refused, with its position', (pointer, position) => {
    expect(errorOf(pointer)).toMatchObject({
      position,
      message: expect.stringContaining(`position ${position}`) as string,
    });
  });

  it('begins at the record, not at the body', () => {
    const document = body.at(['rows', '1']) as JsonDocument;
    expect(textOf('/k', { ...scope, document })).toBe('2');
    expect(textOf('', { ...scope, document })).toBe('{"k":2}');
  });
});

describe('a plain path', () => {
  it.each([
    ['id', '12345678901234567890'],
    [' amount ', '10.10'],
    ['time /* when */', '1e3'],
    ['$.time', '1e3'],
    ['`a/b`.`~`', '1.0'],
    ['``.``', '2.0'],
    ['data.object.id', '"in_1"'],
    ['data.object.lines', '[{"n":1.50},{"n":2.50}]'],
    ['data.object.lines[1].n', '2.50'],
    ['data.object.lines[-1].n', '2.50'],
    ['data.object.lines[2].n', undefined],
    ['data.object.empty', '[]'],
    ['data.object.empty[0]', undefined],
    ['data.object.tags', '["x"]'],
    ['data.object.tags[0]', '"x"'],
    ['`x y`.`z-1`', 'true'],
    ['none', 'null'],
    ['none.x', undefined],
    ['twice', '2.0'],
    ['missing.x', undefined],
    ['toString', undefined],
    ['$', BODY],
    ['$body.id', '12345678901234567890'],
    ['$body', BODY],
    ['$headers.`X-GitHub-Event`', '"issues"'],
    ['$headers."x-github-event"', '"issues"'],
    ['$headers.`content-type`', '"text/plain"'],
    ['$headers.`__proto__`', undefined],
    ['$headers.missing', undefined],
    ['$query.a', '"one"'],
    ['$query.b', '["two","three"]'],
    ['$query.b[1]', '"three"'],
    ['$query.toString', undefined],
    ['$path', '"/hooks/x"'],
  ])('%s finds %s', (path, text) => expect(textOf(path)).toBe(text));

  it('begins at the record, and with $body at the whole body', () => {
    const over = { ...scope, document: body.at(['rows', '1']) as JsonDocument };
    expect(textOf('k', over)).toBe('2');
    expect(textOf('$.k', over)).toBe('2');
    expect(textOf('$body.rows[0].k', over)).toBe('1');
  });
});

describe('an expression that cannot be compiled', () => {
  it.each([
    ['`a', 2],
    ['a.(b', 4],
    ['a.3', 3],
    [' ', 1],
  ])('%j is refused with the position', (text, position) => {
    expect(errorOf(text)).toMatchObject({
      position,
      message: expect.stringMatching(/^is not valid JSONata: /) as string,
    });
  });

  it('is refused when it is too long or nested too deeply', () => {
    expect(errorOf('a'.repeat(8_193)).message).toBe('is longer than 8192 characters');
    expect(errorOf('('.repeat(8_000)).message).toBe('is nested too deeply');
  });
});
