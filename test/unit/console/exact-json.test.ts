import fc from 'fast-check';
import { changesOf } from '../../../console/src/json/changes-of';
import { payloadsOf } from '../../../console/src/pages/event/payload-of';
import { revisionText } from '../../../console/src/pages/event/revision-text';
import {
  faultOfJson,
  JsonSyntaxError,
  memberText,
  parseExact,
  type JsonNode,
} from '../../../console/src/json/exact-json';
import { pretty } from '../../../console/src/json/pretty';
import { visibleText } from '../../../console/src/json/visible-text';

/** The value of a node, as JSON.parse would return it. */
function valueOf(text: string, node: JsonNode): unknown {
  if (node.kind === 'object') {
    const value: Record<string, unknown> = {};
    for (const member of node.members) {
      Object.defineProperty(value, member.name, {
        value: valueOf(text, member.value),
        ...{ enumerable: true, configurable: true, writable: true },
      });
    }
    return value;
  }
  if (node.kind === 'array') return node.items.map((item) => valueOf(text, item));
  return JSON.parse(text.slice(node.start, node.end));
}

describe('parseExact', () => {
  it('finds the same values as JSON.parse', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 1, '\t'), (json, space) => {
        const text = JSON.stringify(JSON.parse(json), null, space);
        expect(valueOf(text, parseExact(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ...[
      '',
      ' ',
      '{',
      '[',
      '"',
      '"a',
      '{"a"}',
      '{"a":}',
      '{"a":1,}',
      '[1,]',
      '[1 2]',
      '{a:1}',
      "{'a':1}",
      '01',
      '1.',
      '.5',
    ],
    ...[
      '+1',
      '-',
      '1e',
      'tru',
      'nul',
      'NaN',
      'undefined',
      '"\\x"',
      '"\\u12g4"',
      '"\n"',
      '"\t"',
      '1 1',
      '{}}',
      '\u00a01',
    ],
  ])('refuses %j as JSON.parse does', (text) => {
    expect(() => JSON.parse(text) as unknown).toThrow();
    expect(() => parseExact(text)).toThrow(JsonSyntaxError);
  });

  it('says where the fault is', () => {
    expect(() => parseExact('{\n  "a": 1,\n  "b" 2\n}')).toThrow('A : is missing in line 3, at character 7.');
  });

  it('takes 64 levels, and refuses levels without end', () => {
    const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    expect(parseExact(nested(64)).kind).toBe('array');
    expect(() => parseExact(nested(100_000))).toThrow('more than 100 levels');
  });

  it('takes a line of 200 KB and an object of 5,000 members', () => {
    const line = JSON.stringify({ text: 'x\\"'.repeat(100_000) });
    expect(valueOf(line, parseExact(line))).toEqual(JSON.parse(line));
    const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key-${i}`, i])));
    expect(parseExact(wide)).toMatchObject({ members: { length: 5_000 } });
  });
});

describe('the payload of a response', () => {
  const PAYLOAD = '{ "price":10.10,"big":12345678901234567890,"__proto__":1,"a":1,"a":2 }';
  const RESPONSE = `{"id":"x","payload":${PAYLOAD},"status":"DLQ"}`;

  it('is its exact text', () => {
    expect(payloadsOf(RESPONSE)).toEqual([{ revision: 1, text: PAYLOAD }]);
    expect(memberText(RESPONSE, 'status')).toBe('"DLQ"');
  });

  it('is missing where it is hidden or was erased', () => {
    expect(payloadsOf('{"id":"x","payloadHidden":true}')).toEqual([]);
    expect(payloadsOf('{"payload":null,"erasedAt":"2026-11-24T04:08:57.544Z"}')).toEqual([]);
  });

  it('is followed by the payloads of its revisions, unless they were erased', () => {
    const revisions =
      '[{"revision":2,"payload":{"a":1.0}},{"revision":3,"erasedAt":"x"},{"revision":4,"payload":null}]';
    expect(payloadsOf(`{"payload":{"a":1},"revisions":${revisions}}`)).toEqual([
      { revision: 1, text: '{"a":1}' },
      { revision: 2, text: '{"a":1.0}' },
      { revision: 4, text: 'null' },
    ]);
  });

  it('is indented with its digits, its order, and names that are repeated', () => {
    expect(pretty(PAYLOAD)).toBe(
      '{\n  "price": 10.10,\n  "big": 12345678901234567890,\n  "__proto__": 1,\n  "a": 1,\n  "a": 2\n}',
    );
    expect(pretty('[{},[],[1.0]]')).toBe('[\n  {},\n  [],\n  [\n    1.0\n  ]\n]');
  });

  it('is the same value after it was indented', () => {
    fc.assert(fc.property(fc.json(), (json) => expect(JSON.parse(pretty(json))).toEqual(JSON.parse(json))));
  });
});

describe('a revision', () => {
  it('has the payload as it was typed', () => {
    const body = revisionText(' {"price":10.10} ', { dryRun: false, note: 'typo of the till' });
    expect(body).toBe('{"payload":{"price":10.10},"retry":true,"dryRun":false,"note":"typo of the till"}');
  });

  it('changes nothing in a dry run', () => {
    expect(JSON.parse(revisionText('1', { dryRun: true, note: undefined }))).toEqual({
      ...{ payload: 1, retry: false, dryRun: true },
    });
  });

  it('is not sent while the text is no JSON', () => {
    expect(faultOfJson('{"a":1}')).toBeUndefined();
    expect(faultOfJson('{"a":}')).toBe('A JSON value is missing in line 1, at character 6.');
  });

  it('shows its differences with all digits', () => {
    const diff = '[{"op":"replace","path":"/price","value":10.10},{"op":"remove","path":"/b"}]';
    expect(changesOf(`{"revision":2,"diff":${diff}}`)).toEqual([
      { op: 'replace', path: '/price', value: '10.10' },
      { op: 'remove', path: '/b', value: undefined },
    ]);
    expect(changesOf('{"revision":2}')).toEqual([]);
  });
});

it('characters that draw nothing or reorder text are shown by their escapes', () => {
  expect(visibleText('a\u202eb\u0000c\u200b')).toBe('a\\u202eb\\u0000c\\u200b');
  expect(visibleText('line\n\ttab, Ünïcödé, العربية 👍')).toBe('line\n\ttab, Ünïcödé, العربية 👍');
});
