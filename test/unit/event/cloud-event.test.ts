import * as fc from 'fast-check';
import {
  cloudEventPointer,
  fromBinary,
  fromStructured,
  isBinaryCloudEvent,
} from '../../../src/event/cloud-event/cloud-event';

const structured = (text: string) => fromStructured(Buffer.from(text));
const ATTRIBUTES = '"specversion":"1.0","id":"1","type":"t","source":"s"';
const HEADERS = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-type': 't', 'ce-source': 's' };
const textOf = (made: ReturnType<typeof fromStructured>): string => {
  if (!made || 'errors' in made) throw new Error(`refused: ${JSON.stringify(made)}`);
  return made.text;
};
const partsOf = (made: ReturnType<typeof fromStructured>) => {
  if (!made || 'errors' in made) throw new Error(`refused: ${JSON.stringify(made)}`);
  return made.parts;
};
const pointersOf = (made: ReturnType<typeof fromStructured>): string[] => {
  if (!made || 'text' in made) throw new Error(`not refused: ${JSON.stringify(made)}`);
  for (const { code, message } of made.errors) expect([code, message]).toEqual(['invalid-event', expect.any(String)]);
  return made.errors.map(({ pointer }) => pointer);
};

describe('a structured CloudEvent', () => {
  it('is converted to the text of an envelope, value by value', () => {
    const more = '"subject" : "o-1","time":"2026-01-01T00:00:00+01:00","partitionkey":"p","ext":{"a":[1]}';
    expect(textOf(structured(`\ufeff {${ATTRIBUTES},${more},"data": [ 1.0 ] }\n`))).toBe(
      '{"eventId":"1","eventType":"t","source":"s","subject":"o-1","occurredAt":"2026-01-01T00:00:00+01:00",' +
        '"specVersion":"1.0","partitionKey":"p","payload":[ 1.0 ]}',
    );
  });

  it('keeps any JSON data exactly and adds no other name to the envelope', () => {
    fc.assert(
      fc.property(fc.json(), fc.string(), fc.json(), (data, name, value) => {
        const known = ['specversion', 'id', 'type', 'source', 'subject', 'time', 'partitionkey', 'data', 'data_base64'];
        fc.pre(!known.includes(name));
        const text = textOf(structured(`{${ATTRIBUTES},${JSON.stringify(name)}:${value},"data":${data}}`));
        expect(text.endsWith(`,"payload":${data.trim()}}`)).toBe(true);
        const fields = ['eventId', 'eventType', 'payload', 'source', 'specVersion', 'subject'];
        expect(Object.keys(JSON.parse(text) as object).toSorted()).toEqual(fields);
      }),
    );
  });

  it.each([
    ['no data', '', 'null'],
    ['data that is null', ',"data":null', 'null'],
    ['binary data', ',"data_base64":"AP8="', '{"@contentType":"application/json","@base64":"AP8="}'],
    ['typed data', ',"data_base64":"AA==","datacontenttype":"a/b"', '{"@contentType":"a/b","@base64":"AA=="}'],
    ['text', ',"datacontenttype":"text/plain","data":"a\\n"', '"a\\n"'],
    ['data under an escaped name', ',"d\\u0061ta":[1]', '[1]'],
    ['data that looks like members', ',"data":"\\",\\"id\\":\\"2"', '"\\",\\"id\\":\\"2"'],
  ])('may have %s', (_what, members, payload) => {
    expect(textOf(structured(`{${ATTRIBUTES}${members}}`))).toContain(`,"payload":${payload}}`);
  });

  it('keeps what the envelope has no field for, exactly as sent', () => {
    const more = '"n" : 1.10,"time":"2026-01-01T00:00:00Z","partitionkey":"p","__proto__":[ 1 ],"gone":null';
    const type = '"datacontenttype":"application/json","dataschema":"urn:x"';
    expect(partsOf(structured(`{${ATTRIBUTES},${more},${type},"data":1}`)).extensionsJson).toBe(
      `{"n":1.10,"partitionkey":"p","__proto__":[ 1 ],${type}}`,
    );
    expect(partsOf(structured(`{${ATTRIBUTES},"subject":"s","data":1}`)).extensionsJson).toBeUndefined();
  });

  it('treats a null attribute as not sent', () => {
    const nulls = '"subject":null,"time":null,"partitionkey":null,"data":null';
    expect(textOf(structured(`{${ATTRIBUTES},${nulls}}`))).toBe(textOf(structured(`{${ATTRIBUTES}}`)));
    expect(pointersOf(structured(`{${ATTRIBUTES.replace('"1"', 'null')}}`))).toEqual(['/id']);
  });

  it.each([
    ['{}', ['/id', '/source', '/specversion', '/type']],
    [`{${ATTRIBUTES.replace('"1.0"', '"1.1"')}}`, ['/specversion']],
    [`{${ATTRIBUTES.replace('"1.0"', '1.0')}}`, ['/specversion']],
    [`{${ATTRIBUTES},"id":"2"}`, ['/id']],
    [`{${ATTRIBUTES},"i\\u0064":"2"}`, ['/id']],
    [`{${ATTRIBUTES},"data":1,"data_base64":"AA=="}`, ['/data']],
    ...['"AA"', '"AB=="', '"AA==\\n"', '"AA-_"', '" "', '1', '{}'].map((base64): [string, string[]] => [
      `{${ATTRIBUTES},"data_base64":${base64}}`,
      ['/data_base64'],
    ]),
    [`{${ATTRIBUTES},"datacontenttype":1}`, ['/datacontenttype']],
    [`{${ATTRIBUTES},"dataschema":{}}`, ['/dataschema']],
    [`{${ATTRIBUTES},"ext":${'['.repeat(65)}${']'.repeat(65)}}`, ['/ext']],
  ])('is rejected with a pointer: %s', (text, pointers) => expect(pointersOf(structured(text))).toEqual(pointers));

  it.each([
    ['', 'nothing'],
    ['{', 'not JSON'],
    ['[]', 'an array'],
    ['"{}"', 'a string'],
    ['null', 'null'],
    [`{${ATTRIBUTES}}}`, 'more than an object'],
  ])('leaves %j (%s) to prepareEvent', (text) => expect(structured(text)).toBeUndefined());

  it('leaves a body that is not UTF-8 to prepareEvent', () => {
    expect(fromStructured(Buffer.from(`{${ATTRIBUTES},"data":"\xff"}`, 'latin1'))).toBeUndefined();
  });
});

describe('a binary CloudEvent', () => {
  const binary = (headers: Record<string, string | undefined>, body: string | Buffer = '') =>
    fromBinary({ ...HEADERS, ...headers }, Buffer.from(body as string));
  const subjectOf = (subject: string) =>
    (JSON.parse(textOf(binary({ 'ce-subject': subject }))) as { subject: string }).subject;

  it('takes its attributes from headers, and its subject from the source by default', () => {
    expect(JSON.parse(textOf(binary({ 'ce-time': 'T', 'ce-partitionkey': 'p', 'ce-payload': 'y' }, '1')))).toEqual({
      eventId: '1',
      eventType: 't',
      source: 's',
      subject: 's',
      occurredAt: 'T',
      specVersion: '1.0',
      partitionKey: 'p',
      payload: 1,
    });
  });

  it('decodes every percent-encoded text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        fc.pre(text.isWellFormed() && !text.startsWith('\ufeff'));
        expect(subjectOf(encodeURIComponent(text))).toBe(text);
      }),
    );
  });

  it.each([
    ['a+b', 'a+b'],
    ['%e6%9D%b1', '東'],
    ['\xe6\x9d\xb1', '東'], // sent without encoding; Node decodes headers as Latin-1
    ['%2541', '%41'], // decoded only once
    ['%22%2C%22source%22:%22x', '","source":"x'],
    ['"a \\"b\\" \\\\ %E6%9D%B1"', 'a "b" \\ 東'],
    ['%22a%22', '"a"'],
  ])('reads the header %j as %j', (header, text) => expect(subjectOf(header)).toBe(text));

  it.each(['%', '100%', '%4', '%zz', '%FF', '%C3', '%C0%A0', '%ED%A0%80', '\xff'])(
    'rejects the header %j',
    (header) => {
      expect(pointersOf(binary({ 'ce-subject': header, 'ce-id': '%' }))).toEqual(
        expect.arrayContaining(['/subject', '/id']),
      );
    },
  );

  it.each([
    ['application/json', '{ "a": 1.0 }', '{ "a": 1.0 }'],
    ['Application/JSON; charset=utf-8', '[1]', '[1]'],
    ['application/vnd.x+json', '1e400', '1e400'],
    [undefined, '"no type is JSON"', '"no type is JSON"'],
    ['text/json', '[2]', '[2]'],
    ['text/plain', '"q"\n', '{"@contentType":"text/plain","@text":"\\"q\\"\\n"}'],
    ['text/plain; charset=UTF-8', '\ufeffx', '{"@contentType":"text/plain; charset=UTF-8","@text":"\ufeffx"}'],
    ['application/xml', '<a/>', '{"@contentType":"application/xml","@text":"<a/>"}'],
    ['image/svg+xml', '<a/>', '{"@contentType":"image/svg+xml","@text":"<a/>"}'],
    ['application/x-ndjson', '1\n2\n', '{"@contentType":"application/x-ndjson","@text":"1\\n2\\n"}'],
    ['text/xml; charset=iso-8859-1', 'x', '{"@contentType":"text/xml; charset=iso-8859-1","@base64":"eA=="}'],
    ['text/plain', 'a\0', '{"@contentType":"text/plain","@base64":"YQA="}'],
    ['text/csv', Buffer.from([0xff]), '{"@contentType":"text/csv","@base64":"/w=="}'],
    ['image/png', Buffer.from([0, 1]), '{"@contentType":"image/png","@base64":"AAE="}'],
    ['application/octet-stream', 'text', '{"@contentType":"application/octet-stream","@base64":"dGV4dA=="}'],
    ['application/json', '', 'null'],
  ])('converts the data of type %s: %j', (type, body, payload) => {
    expect(textOf(binary({ 'content-type': type }, body))).toContain(`,"payload":${payload}}`);
  });

  it('gets a malformed envelope when its data is not JSON', () => {
    const notJson = fc.string().filter((text) => {
      try {
        return Boolean(JSON.parse(text)) && false;
      } catch {
        return text !== '';
      }
    });
    const smuggling = fc.constantFrom(
      '1,"subject":"x"',
      '1}',
      '1},{"a":2',
      '{"a":',
      'undefined',
      '//',
      '\ufeff\ufeff1',
    );
    fc.assert(
      fc.property(fc.oneof(notJson, smuggling), (body) => {
        expect(() => JSON.parse(textOf(binary({ 'content-type': 'application/json' }, body))) as unknown).toThrow(
          SyntaxError,
        );
      }),
    );
    expect(() => JSON.parse(textOf(binary({}, Buffer.from([0x22, 0xff, 0x22])))) as unknown).toThrow(SyntaxError);
  });

  it('takes an extension as it is if it is not percent-encoded, unless it is not UTF-8 either', () => {
    expect(partsOf(binary({ 'ce-a': '100%', 'ce-b': '100%25', 'ce-c': '%FF' })).extensionsJson).toBe(
      '{"a":"100%","b":"100%","c":"%FF"}',
    );
    expect(pointersOf(binary({ 'ce-a': '\xff', 'ce-partitionkey': '100%' }))).toEqual(['/a', '/partitionkey']);
  });

  it('keeps other headers and its Content-Type', () => {
    const headers = { 'ce-traceparent': '00-1', 'ce-note': 'caf%C3%A9', 'content-type': 'application/json' };
    expect(partsOf(binary(headers, '1')).extensionsJson).toBe(
      '{"datacontenttype":"application/json","traceparent":"00-1","note":"café"}',
    );
    expect(pointersOf(binary({ 'ce-data': 'x', 'ce-datacontenttype': 'a/b', 'content-type': 'a/c' }))).toEqual([
      '/data',
      '/datacontenttype',
    ]);
    expect(partsOf(binary({ 'ce-datacontenttype': 'a/b', 'content-type': 'a/b' })).extensionsJson).toBe(
      '{"datacontenttype":"a/b"}',
    );
  });

  it('is rejected without a required attribute or with another version', () => {
    expect(pointersOf(fromBinary({ 'ce-type': 't' }, Buffer.alloc(0)))).toEqual(['/id', '/source', '/specversion']);
    expect(pointersOf(binary({ 'ce-specversion': '0.3' }))).toEqual(['/specversion']);
  });
});

it('isBinaryCloudEvent recognises each of three headers', () => {
  for (const name of ['ce-id', 'ce-type', 'ce-specversion']) expect(isBinaryCloudEvent({ [name]: '' })).toBe(true);
  expect(isBinaryCloudEvent({ 'ce-source': 's', 'content-type': 'application/json' })).toBe(false);
});

it.each([
  ['/eventId', '/id'],
  ['/eventType', '/type'],
  ['/occurredAt', '/time'],
  ['/partitionKey', '/partitionkey'],
  ['/specVersion', '/specversion'],
  ['/subject', '/subject'],
  ['/payload', '/data'],
  ['/payload/eventId/~1/0', '/data/eventId/~1/0'],
])('cloudEventPointer translates %j to %j', (ours, theirs) => expect(cloudEventPointer(ours)).toBe(theirs));
