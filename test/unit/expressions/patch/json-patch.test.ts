import * as fc from 'fast-check';
import { canonicalJson } from '../../../../src/event/json/canonical-json';
import { JsonDocument } from '../../../../src/expressions/json-document';
import { applyPatch } from '../../../../src/expressions/patch/apply-patch';
import { diffOf, MAX_DIFFERENCES } from '../../../../src/expressions/patch/json-diff';
import { MAX_OPERATIONS, parsePatch, type JsonPatch } from '../../../../src/expressions/patch/json-patch';

function patchOf(text: string): JsonPatch {
  const read = parsePatch(new JsonDocument(text));
  if ('errors' in read) throw new Error(JSON.stringify(read.errors));
  return read.patch;
}

const patched = (document: string | undefined, patch: string, maxLength = 10_000) =>
  applyPatch(document, patchOf(patch), maxLength);

const countOf = (operations: string): number => (JSON.parse(operations) as unknown[]).length;

const add = (path: string, value: string): string => `[{"op":"add","path":"${path}","value":${value}}]`;
const replace = (path: string, value: string): string => `[{"op":"replace","path":"${path}","value":${value}}]`;
const remove = (path: string): string => `[{"op":"remove","path":"${path}"}]`;

describe('a JSON Patch', () => {
  it.each([
    ['adds a member', '{"foo":"bar"}', add('/baz', '"qux"'), '{"foo":"bar","baz":"qux"}'],
    ['adds the first member', '{ }', add('/baz', '1'), '{"baz":1 }'],
    ['replaces a member that it adds', '{"foo": 1}', add('/foo', '[2]'), '{"foo": [2]}'],
    ['adds an element', '[1,3]', add('/1', '2'), '[1,2,3]'],
    ['adds an element behind the last', '[1, 2]', add('/-', '3'), '[1, 2,3]'],
    ['adds an element at the length', '{"a":[]}', add('/a/0', '3'), '{"a":[3]}'],
    ['adds null', '{}', add('/a', 'null'), '{"a":null}'],
    ['removes the only member', '{"a":1}', remove('/a'), '{}'],
    ['removes the first member', '{"a":1, "b":2}', remove('/a'), '{"b":2}'],
    ['removes the last member', '{"a":1, "b":2}', remove('/b'), '{"a":1}'],
    ['removes an element', '[1, 2, 3]', remove('/1'), '[1, 3]'],
    ['removes the first element', '[1,2,3]', remove('/0'), '[2,3]'],
    ['replaces a value', '{"a":{"b":[1,2]}}', replace('/a/b/1', '{"c":3}'), '{"a":{"b":[1,{"c":3}]}}'],
    ['replaces the whole document', '{"a":1}', replace('', '[]'), '[]'],
    ['moves a member', '{"a":{"b":1},"c":{}}', '[{"op":"move","from":"/a/b","path":"/c/d"}]', '{"a":{},"c":{"d":1}}'],
    ['moves an element', '["a","b","c"]', '[{"op":"move","from":"/0","path":"/2"}]', '["b","c","a"]'],
    ['moves a value to where it is', '{"a":1}', '[{"op":"move","from":"/a","path":"/a"}]', '{"a":1}'],
    ['copies a value', '{"a":[1]}', '[{"op":"copy","from":"/a","path":"/a/0"}]', '{"a":[[1],1]}'],
    [
      'passes a test',
      '{"a":{"x":1,"y":2.0}}',
      '[{"op":"test","path":"/a","value":{"y":2,"x":1}}]',
      '{"a":{"x":1,"y":2.0}}',
    ],
    ['finds escaped names', '{"a/b":{"~1":1}}', replace('/a~1b/~01', '2'), '{"a/b":{"~1":2}}'],
    ['finds a name that is written with an escape', '{"\\u0061":1}', replace('/a', '2'), '{"\\u0061":2}'],
    ['finds the empty name', '{"":{"":1}}', replace('//', '2'), '{"":{"":2}}'],
    [
      'changes names of every object like others',
      '{"constructor":1,"__proto__":{"x":1}}',
      remove('/__proto__/x'),
      '{"constructor":1,"__proto__":{}}',
    ],
  ])('%s', (_, document, patch, text) => {
    expect(patched(document, patch)).toEqual({ text });
  });

  it('leaves everything that it does not name as it was written', () => {
    const document = '{ "n" : 12345678901234567890, "m":10.10 , "twice":{"a":1,"a":2},"x":1}';
    expect(patched(document, replace('/x', '98765432109876543210'))).toEqual({
      text: document.replace('"x":1', '"x":98765432109876543210'),
    });
  });

  it('replaces what is no JSON as a whole, and changes nothing in it', () => {
    for (const broken of ['{"a":', undefined]) {
      expect(patched(broken, '[{"op":"add","path":"","value":{"a":1}},{"op":"add","path":"/b","value":2}]')).toEqual({
        text: '{"a":1,"b":2}',
      });
      expect(patched(broken, add('/a', '1'))).toMatchObject({ error: { operation: null } });
      expect(patched(broken, '[]')).toMatchObject({ error: { operation: null } });
    }
  });

  it.each([
    ['removes what is not there', '{}', remove('/a'), 'remove /a: there is no value to remove'],
    ['removes the document', '{}', remove(''), 'remove "": the whole document cannot be removed'],
    ['replaces what is not there', '[1]', replace('/1', '2'), 'replace /1: there is no value to replace'],
    ['adds below what is not there', '{}', add('/a/b', '1'), 'add /a/b: there is no object or array to change'],
    ['adds below a text', '{"a":"b"}', add('/a/0', '1'), 'add /a/0: the value above is neither an object nor an array'],
    ['leaves a gap in an array', '[1]', add('/2', '1'), 'add /2: the array has 1 elements and no place for this index'],
    [
      'names an index with a zero',
      '[1,2]',
      add('/01', '1'),
      'add /01: the array has 2 elements and no place for this index',
    ],
    [
      'reads what every object has',
      '{}',
      '[{"op":"copy","from":"/constructor","path":"/a"}]',
      'copy /a: there is no value at /constructor',
    ],
    [
      'moves a value into itself',
      '{"a":{}}',
      '[{"op":"move","from":"/a","path":"/a/b"}]',
      'move /a/b: a value cannot be moved into itself',
    ],
    [
      'tests another value',
      '{"a":"10"}',
      '[{"op":"test","path":"/a","value":10}]',
      'test /a: the value is another one',
    ],
    [
      'tests a rounded number',
      '{"a":12345678901234567890}',
      '[{"op":"test","path":"/a","value":12345678901234567891}]',
      'test /a: the value is another one',
    ],
    [
      'names one of two equal names',
      '{"a":1,"a":2}',
      replace('/a', '3'),
      'replace /a: the object has the name "a" more than once',
    ],
  ])('is not applied if it %s', (_, document, patch, message) => {
    expect(patched(document, patch)).toEqual({ error: { operation: 0, message } });
  });

  it('is not applied at all if one operation fails, and says which', () => {
    const patch = '[{"op":"add","path":"/a","value":1},{"op":"test","path":"/a","value":2}]';
    expect(patched('{}', patch)).toEqual({ error: { operation: 1, message: 'test /a: the value is another one' } });
  });

  it('cannot make a document grow without a bound, nor exhaust the stack', () => {
    const copy = '{"op":"copy","from":"","path":"/-"}';
    expect(patched('[]', `[${Array(50).fill(copy).join(',')}]`, 1_000)).toMatchObject({
      error: { message: 'The document would have more than 1000 characters.' },
    });
    const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(patched(deep, '[{"op":"test","path":"","value":1}]', 1e6)).toMatchObject({ error: { operation: 0 } });
    expect(patched(deep, add('/b', '1'), 1e6)).toEqual({ text: `${deep.slice(0, -1)},"b":1}` });
  });

  it.each([
    ['is no array', '{}', ''],
    ['has an operation that is no object', '[1]', '/0'],
    ['has an unknown operation', '[{"op":"merge","path":""}]', '/0/op'],
    ['has a pointer without a slash', '[{"op":"add","path":"a","value":1}]', '/0/path'],
    ['has a pointer with a wrong escape', '[{"op":"add","path":"/~2","value":1}]', '/0/path'],
    ['has no path', '[{"op":"remove"}]', '/0/path'],
    ['adds no value', '[{"op":"add","path":"/a"}]', '/0/value'],
    ['moves from nowhere', '[{"op":"move","path":"/a"}]', '/0/from'],
    ['has an unknown member', '[{"op":"remove","path":"/a","pth":1}]', '/0/pth'],
    [
      'is too long',
      `[${Array(MAX_OPERATIONS + 1)
        .fill('{"op":"remove","path":"/a"}')
        .join(',')}]`,
      '',
    ],
  ])('is refused if it %s', (_, text, pointer) => {
    const read = parsePatch(new JsonDocument(text));
    expect('errors' in read && read.errors.map((error) => error.pointer)).toEqual([pointer]);
  });
});

describe('a diff of two documents', () => {
  it.each([
    ['{"a":1}', '{ "a" : 1.0 }', '[]'],
    [
      '{"a":1,"b":2}',
      '{"b":3,"c":4}',
      '[{"op":"remove","path":"/a"},{"op":"replace","path":"/b","value":3},{"op":"add","path":"/c","value":4}]',
    ],
    ['[1,2,3,4]', '[1,3,4]', '[{"op":"remove","path":"/1"}]'],
    ['[1,4]', '[1,2,3,4]', '[{"op":"add","path":"/1","value":2},{"op":"add","path":"/2","value":3}]'],
    ['[{"a":1},2]', '[{"a":3},2]', '[{"op":"replace","path":"/0/a","value":3}]'],
    ['12345678901234567890', '12345678901234567891', '[{"op":"replace","path":"","value":12345678901234567891}]'],
    ['{"a":{"x":1,"x":2}}', '{"a":{"x":2}}', '[{"op":"replace","path":"/a","value":{"x":2}}]'],
    ['{"a/b":null}', '{"a/b":false}', '[{"op":"replace","path":"/a~1b","value":false}]'],
  ])('from %s to %s', (before, after, operations) => {
    expect(diffOf(before, after)).toEqual({ operations, truncated: false });
  });

  it('leads from one to the other', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (before, after) => {
        const { operations, truncated } = diffOf(JSON.stringify(before), JSON.stringify(after));
        if (truncated || countOf(operations) > MAX_OPERATIONS) return;
        const result = patched(JSON.stringify(before), operations, 1e6);
        expect('text' in result && canonicalJson(JSON.parse(result.text))).toBe(canonicalJson(after));
      }),
    );
  });

  it('reads each text once, however deep the difference is', () => {
    const numbers = Array.from({ length: 100_000 }, (_, i) => i);
    const nested = (last: number): string => `${'['.repeat(64)}${[...numbers, last].join(',')}${']'.repeat(64)}`;
    const [before, after] = [nested(1), nested(2)];
    const slices = jest.spyOn(String.prototype, 'slice');
    const { operations } = diffOf(before, after);
    const count = slices.mock.calls.length;
    slices.mockRestore();
    expect(operations).toBe(`[{"op":"replace","path":"${'/0'.repeat(63)}/100000","value":2}]`);
    expect(count).toBeGreaterThan(2 * numbers.length); // one for each number of each text
    expect(count).toBeLessThan(6 * numbers.length);
  });

  it('has a bound', () => {
    const numbers = Array.from({ length: 2_000 }, (_, i) => i);
    const { operations, truncated } = diffOf(JSON.stringify(numbers), JSON.stringify(numbers.map((n) => n + 1)));
    expect([countOf(operations), truncated]).toEqual([MAX_DIFFERENCES, true]);
  });
});
