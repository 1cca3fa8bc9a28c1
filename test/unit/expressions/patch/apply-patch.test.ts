import * as fc from 'fast-check';
import { JsonDocument } from '../../../../src/expressions/json-document';
import { applyPatch, type PatchResult } from '../../../../src/expressions/patch/apply-patch';
import { parsePatch, type JsonPatch } from '../../../../src/expressions/patch/json-patch';
import { applyPatchPlainly } from '../../../support/patch/apply-patch-plainly';

function patchOf(operations: readonly object[]): JsonPatch {
  const read = parsePatch(new JsonDocument(JSON.stringify(operations)));
  if ('errors' in read) throw new Error(JSON.stringify(read.errors));
  return read.patch;
}

/** JSON text with white space, repeated names, escaped names, long numbers and names that every object has. */
const space = fc.constantFrom('', '', '', ' ', '\n  ');
const name = fc.constantFrom('"a"', '"b"', '"\\u0061"', '"a/b"', '"0"', '""', '"__proto__"', '"constructor"', '"ä"');
const scalar = fc.constantFrom('1', '1.0', '10e-1', '12345678901234567890', '"x"', '"\\u0078"', '"]"', 'null', '-0');
const { json } = fc.letrec<{ json: string; list: string; object: string }>((tie) => ({
  json: fc.oneof({ maxDepth: 4, depthIdentifier: 'json' }, scalar, tie('list'), tie('object')),
  list: fc
    .tuple(fc.array(fc.tuple(space, tie('json'), space), { maxLength: 4, depthIdentifier: 'json' }), space)
    .map(([items, tail]) => `[${items.map((parts) => parts.join('')).join(',')}${tail}]`),
  object: fc
    .tuple(
      fc.array(fc.tuple(space, name, space, fc.constant(':'), space, tie('json'), space), {
        maxLength: 4,
        depthIdentifier: 'json',
      }),
      space,
    )
    .map(([members, tail]) => `{${members.map((parts) => parts.join('')).join(',')}${tail}}`),
}));

const pointer = fc
  .array(fc.constantFrom('a', 'b', 'a~1b', '0', '1', '-', '01', '', '__proto__', 'constructor', 'ä'), { maxLength: 3 })
  .map((segments) => segments.map((segment) => `/${segment}`).join(''));
const operation = fc.oneof(
  fc.record({ op: fc.constantFrom('add', 'replace', 'test'), path: pointer, value: json }),
  fc.record({ op: fc.constant('remove'), path: pointer }),
  fc.record({ op: fc.constantFrom('move', 'copy'), path: pointer, from: pointer }),
);
interface Operation {
  op: string;
  path: string;
  value?: string;
}

/** The values are JSON texts: JSON.stringify would change how they are written. */
function readPatch(operations: readonly Operation[]): JsonPatch {
  const texts = operations.map(({ value, ...rest }) => {
    const text = JSON.stringify(rest);
    return value === undefined ? text : `${text.slice(0, -1)},"value":${value}}`;
  });
  const read = parsePatch(new JsonDocument(`[${texts.join(',')}]`));
  if ('errors' in read) throw new Error(JSON.stringify(read.errors));
  return read.patch;
}

/** Leaves out the operations that cannot be applied, so that long patches are applied to their end. */
function applicable(document: string, operations: readonly Operation[]): Operation[] {
  const kept: Operation[] = [];
  for (const one of operations) {
    if ('text' in applyPatchPlainly(document, readPatch([...kept, one]), 2_000)) kept.push(one);
  }
  return kept;
}

describe('a JSON Patch of many operations', () => {
  it('gives what splices of the text give, character for character, and the same errors', () => {
    fc.assert(
      fc.property(json, fc.array(operation, { maxLength: 12 }), (document, operations) => {
        const good = applicable(document, operations);
        for (const some of [good, [...good, ...operations.slice(-1)], operations]) {
          const patch = readPatch(some);
          expect(applyPatch(document, patch, 2_000)).toEqual(applyPatchPlainly(document, patch, 2_000));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  /** Median CPU time in milliseconds. */
  function cost(document: string, patch: JsonPatch, maxLength: number): { ms: number; result: PatchResult } {
    const times: number[] = [];
    let result: PatchResult = { text: '' };
    for (let n = 0; n < 5; n++) {
      const before = process.cpuUsage();
      result = applyPatch(document, patch, maxLength);
      const { user, system } = process.cpuUsage(before);
      times.push((user + system) / 1_000);
    }
    return { ms: times.toSorted((a, b) => a - b)[2] ?? Number.NaN, result };
  }

  const lines = (count: number): object[] =>
    Array.from({ length: count }, (_, i) => ({ sku: `sku-${i}`, quantity: 1 + (i % 7), tags: ['a', 'b'] }));

  it('reads a record of 256 KiB once for all operations', () => {
    const document = JSON.stringify({ order: { id: 'o-1', lines: lines(5_500) }, total: 10 });
    expect(document.length).toBeGreaterThan(250_000);
    const patch = patchOf(
      Array.from({ length: 100 }, (_, i) => ({ op: 'replace', path: `/order/lines/${i * 40}/quantity`, value: -i })),
    );
    const { ms, result } = cost(document, patch, 1e6);
    expect('text' in result).toBe(true);
    expect(ms).toBeLessThan(50);
  });

  it('costs little more for 100,000 members at the deepest level', () => {
    const members = Array.from({ length: 100_000 }, (_, i) => `"m${i}":${i}`).join(',');
    const deep = `${'{"a":'.repeat(63)}{${members}}${'}'.repeat(63)}`;
    const above = '/a'.repeat(63);
    const patch = patchOf(
      Array.from({ length: 100 }, (_, i) => ({
        op: i % 2 ? 'remove' : 'replace',
        path: `${above}/m${i * 999}`,
        value: 0,
      })),
    );
    const { ms, result } = cost(deep, patch, 1e7);
    expect('text' in result).toBe(true);
    expect(ms).toBeLessThan(400); // by splices: 20 s
  });

  it('tests a large value a hundred times for the cost of reading it once', () => {
    const document = JSON.stringify({ lines: lines(5_500) });
    const tests = Array.from({ length: 98 }, () => ({ op: 'test', path: '/lines/0', value: lines(1)[0] }));
    const patch = patchOf([
      ...tests,
      { op: 'replace', path: '/lines/0/sku', value: 1 },
      { op: 'test', path: '', value: 1 },
    ]);
    const { ms, result } = cost(document, patch, 1e6);
    expect(result).toEqual({ error: { operation: 99, message: 'test "": the value is another one' } });
    expect(ms).toBeLessThan(50);
  });

  it('stops copies that double the document at the limit, and names it', () => {
    const copies = Array.from({ length: 64 }, (_, i) => ({ op: 'copy', from: '', path: `/c${i}` }));
    const { ms, result } = cost(`{"a":"${'x'.repeat(1_000)}"}`, patchOf(copies), 262_144);
    expect(result).toEqual({
      error: { operation: 8, message: 'The document would have more than 262144 characters.' },
    });
    expect(ms).toBeLessThan(50);
  });

  it('refuses to edit an array with more than 200,000 elements, and edits beside it', () => {
    const wide = `{"list":[${'0,'.repeat(200_000)}0],"a":1}`;
    const inside = applyPatch(wide, patchOf([{ op: 'remove', path: '/list/0' }]), 1e6);
    expect(inside).toMatchObject({ error: { message: expect.stringContaining('more than 200000 parts') as string } });
    expect(applyPatch(wide, patchOf([{ op: 'remove', path: '/a' }]), 1e6)).toEqual({
      text: wide.replace(',"a":1', ''),
    });
  });

  it('keeps a copy apart from the value that it was copied from', () => {
    const patch = patchOf([
      { op: 'replace', path: '/a/x', value: 2 },
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'replace', path: '/a/x', value: 3 },
      { op: 'replace', path: '/b/x', value: 4 },
      { op: 'copy', from: '/a', path: '/c' },
    ]);
    expect(applyPatch('{"a":{"x":1}}', patch, 100)).toEqual({ text: '{"a":{"x":3},"b":{"x":4},"c":{"x":3}}' });
  });

  it('writes a document that moves have made deep, without recursion', () => {
    const level = (name: string): string => `{"${name}":${'['.repeat(400)}0${']'.repeat(400)}}`;
    const document = `{${Array.from({ length: 100 }, (_, i) => `"m${i}":${level('d')}`).join(',')}}`;
    const moves = Array.from({ length: 99 }, (_, i) => ({
      op: 'move',
      from: `/m${i}`,
      path: `/m${i + 1}/d${'/0'.repeat(399)}/0`,
    }));
    const result = applyPatch(document, patchOf(moves), 1e6);
    expect('text' in result && result.text.length).toBeGreaterThan(80_000);
  });
});
