/**
 * Bodies that consist mostly of filler: bytes that a client may send in any number and that carry nothing. Shared with a
 * test, which runs them through the same stages.
 */
export interface BodyFormat {
  name: string;
  mediaType: string;
  /** Ordinary events, about this many bytes. */
  useful: (bytes: number) => Buffer;
  /** Kind of filler → about this many bytes of it. */
  fillers: Readonly<Record<string, (bytes: number) => Buffer>>;
  /** Content that costs more than ordinary events. Only the time of a turn is limited. */
  unusual: Readonly<Record<string, (bytes: number) => Buffer>>;
  /** Records that are refused, as short as possible. They are bounded by the cost of a record, not of a byte. */
  refused: Readonly<Record<string, (bytes: number) => Buffer>>;
}

type Body = (bytes: number) => Buffer;

/** Bytes of filler in one event; an event has at most 262,144. */
const PER_EVENT = 200_000;

/** The same bytes again and again. */
function repeated(unit: string, before = '', after = ''): Body {
  const bytes = Buffer.from(unit);
  return (size) => {
    const filler = Buffer.alloc(Math.ceil(size / bytes.length) * bytes.length, bytes);
    return Buffer.concat([Buffer.from(before), filler, Buffer.from(after)]);
  };
}

/** Records 0, 1, … */
function records(record: (n: number) => string, before = '', after = ''): Body {
  return (size) => {
    const parts = [Buffer.from(before)];
    for (let n = 0, length = 0; length < size; n++) {
      const part = Buffer.from(record(n));
      parts.push(part);
      length += part.length;
    }
    return Buffer.concat([...parts, Buffer.from(after)]);
  };
}

const timesPerEvent = (unit: string): string => unit.repeat(Math.ceil(PER_EVENT / unit.length));
const list = (count: number, item: (n: number) => string, separator: string): string =>
  Array.from({ length: count }, (_, n) => item(n)).join(separator);

function payloadJson(n: number): string {
  const items = list(6, (i) => `{"sku":"sku-${n}-${i}","quantity":${i + 1},"price":9.99,"note":"as ordered"}`, ',');
  return `{"order":"order-${n}","total":59.94,"currency":"EUR","items":[${items}]}`;
}

/** Payloads of one event. */
type Payloads = Readonly<Record<string, () => string>>;

const UNUSUAL_JSON: Payloads = {
  'different keys': () => `{${list(20_000, (i) => `"k${(i * 7_919) % 20_000}":0`, ',')}}`,
  'keys and an escape': () => `{"x":"\\ud83d\\ude00",${list(20_000, (i) => `"k${i}":0`, ',')}}`,
  'long keys that begin alike': () => `{${list(1_000, (i) => `"${'k'.repeat(200)}${(i * 919) % 1_000}":0`, ',')}}`,
};

/** Kinds of filler inside JSON. */
const JSON_FILLER: Payloads = {
  'spaces in JSON': () => `[${timesPerEvent(' ')}0]`,
  'tabs in JSON': () => `[${timesPerEvent('\t')}0]`,
  'empty arrays': () => `[${timesPerEvent('[],')}0]`,
  'empty objects': () => `[${timesPerEvent('{},')}0]`,
  'nested arrays': () => `[${timesPerEvent(`${'['.repeat(50)}${']'.repeat(50)},`)}0]`,
  digits: () => `[${timesPerEvent('0,')}0]`,
  decimals: () => `[${timesPerEvent('1.0,')}0]`,
  exponents: () => `[${timesPerEvent('1e5,')}0]`,
  'long numbers': () => `[${timesPerEvent('12345678901234567890,')}0]`,
  'one long number': () => timesPerEvent('1'),
  'one long exponent': () => `1e${timesPerEvent('9')}`,
  'empty strings': () => `[${timesPerEvent('"",')}0]`,
  nulls: () => `[${timesPerEvent('null,')}0]`,
  'empty keys': () => `{${timesPerEvent('"":0,')}"":0}`,
  'short escapes': () => `"${timesPerEvent('\\n')}"`,
  'character escapes': () => `"${timesPerEvent('\\u0020')}"`,
  'surrogate pairs': () => `"${timesPerEvent('\\ud83d\\ude00')}"`,
};

function inJson(
  payloads: Payloads,
  event: (n: number, payload: string) => string,
  before = '',
  after = '',
): Record<string, Body> {
  return Object.fromEntries(
    Object.entries(payloads).map(([name, payload]) => [name, records((n) => event(n, payload()), before, after)]),
  );
}

const envelope = (n: number, payload: string): string =>
  `{"eventType":"order.paid","subject":"order-${n}","payload":${payload}}\n`;

const NDJSON: BodyFormat = {
  name: 'NDJSON',
  mediaType: 'application/x-ndjson',
  useful: records((n) => envelope(n, payloadJson(n))),
  fillers: {
    'line feeds': repeated('\n'),
    CRLF: repeated('\r\n'),
    'carriage returns': repeated('\r'),
    spaces: repeated(' '),
    'lines of a space': repeated(' \n'),
    'lines of a BOM': repeated('\ufeff\n'),
    BOMs: repeated('\ufeff'),
    'a line without end': repeated('x'),
    ...inJson(JSON_FILLER, envelope),
  },
  unusual: {
    'unknown fields': records((n) => `{"payload":0,${list(20_000, (i) => `"k${n}-${i}":0`, ',')}}\n`),
    ...inJson(UNUSUAL_JSON, envelope),
  },
  refused: {
    'lines of a letter': repeated('x\n'),
    'lines of a digit': repeated('1\n'),
    'empty objects': repeated('{}\n'),
    'a payload alone': repeated('{"payload":0}\n'),
    'two BOMs': repeated('\ufeff\ufeff\n'),
  },
};

const cloudEvent = (n: number, data: string): string =>
  `{"specversion":"1.0","id":"${n}","source":"/shop","type":"order.paid","data":${data}},`;
const lastEvent = `${cloudEvent(0, '0').slice(0, -1)}]`;

const JSON_ARRAY: BodyFormat = {
  name: 'JSON array',
  mediaType: 'application/cloudevents-batch+json',
  useful: records((n) => cloudEvent(n, payloadJson(n)), '[', lastEvent),
  fillers: {
    'line feeds': repeated('\n', '[', ']'),
    'line feeds before it': repeated('\n', '', '[]'),
    'line feeds after it': repeated('\n', '[]'),
    'BOMs before it': repeated('\ufeff', '', '[]'),
    commas: repeated(',', '['),
    'an element without end': repeated('[', '['),
    'spaces after elements': records((n) => `${cloudEvent(n, '0').slice(0, -1)}${' '.repeat(10_000)},`, '[', lastEvent),
    ...inJson(JSON_FILLER, cloudEvent, '[', lastEvent),
  },
  unusual: inJson(UNUSUAL_JSON, cloudEvent, '[', lastEvent),
  refused: {
    digits: repeated('0,', '[', '0]'),
    'empty arrays': repeated('[],', '[', '[]]'),
    'empty objects': repeated('{},', '[', '{}]'),
    'empty strings': repeated('"",', '[', '""]'),
  },
};

const element = (n: number, payload: string): string =>
  `<event><eventType>order.paid</eventType><subject>order-${n}</subject><payload>${payload}</payload></event>`;
const inPayload = (unit: string): Body =>
  records((n) => element(n, `${timesPerEvent(unit)}<total/>`), '<events>', '</events>');
const betweenEvents = (unit: string): Body => repeated(unit, '<events>', '</events>');
const item = (i: number): string =>
  `<items><sku>sku-${i}</sku><quantity>${i}</quantity><price>9.99</price><note>as ordered</note></items>`;

const XML: BodyFormat = {
  name: 'XML',
  mediaType: 'application/xml',
  useful: records(
    (n) => element(n, `<order>order-${n}</order><total>59.94</total>${list(6, item, '')}`),
    '<events>',
    '</events>',
  ),
  fillers: {
    'line feeds': betweenEvents('\n'),
    CRLF: betweenEvents('\r\n'),
    spaces: betweenEvents(' '),
    'line feeds before it': repeated('\n', '', '<events/>'),
    'line feeds after it': repeated('\n', '<events/>'),
    comments: betweenEvents('<!---->'),
    'long comments': betweenEvents(`<!--${'x'.repeat(1_000)}-->`),
    'comments after it': repeated('<!---->', '<events/>'),
    instructions: betweenEvents('<?a?>'),
    CDATA: betweenEvents('<![CDATA[ ]]>'),
    'character references': betweenEvents('&#32;'),
    'spaces in a payload': inPayload(' '),
    'line feeds in a payload': inPayload('\n'),
    'carriage returns in a payload': inPayload('\r'),
    'comments in a payload': inPayload('<!---->'),
    'instructions in a payload': inPayload('<?a?>'),
    'CDATA in a payload': inPayload('<![CDATA[]]>'),
    'character references in a payload': inPayload('&#32;'),
    'empty elements': inPayload('<a/>'),
    'empty pairs of tags': inPayload('<a></a>'),
    'nested elements': inPayload(`${'<a>'.repeat(60)}${'</a>'.repeat(60)}`),
    'elements with a prefix': inPayload('<p:a/>'),
    'elements with an attribute': inPayload('<a b=""/>'),
    'many attributes': inPayload(`<a ${list(250, (i) => `a${i}=""`, ' ')}/>`),
    namespaces: inPayload(`<a ${list(250, (i) => `xmlns:a${i}=""`, ' ')}/>`),
    'colons below a namespace': records(
      (n) => element(n, `<t>${timesPerEvent('a:')}</t>`),
      '<events xmlns:b="c">',
      '</events>',
    ),
    'spaces in a tag': inPayload(`<a${' '.repeat(2_000)}/>`),
    'long attributes': inPayload(`<a b="${'x'.repeat(2_000)}"/>`),
  },
  unusual: {
    'different elements': records(
      (n) =>
        element(
          n,
          list(15_000, (i) => `<a${i}/>`, ''),
        ),
      '<events>',
      '</events>',
    ),
  },
  refused: {
    'empty events': betweenEvents('<event/>'),
    'events with a namespace below many': repeated(
      '<event xmlns:b="c"/>',
      `<events ${list(250, (i) => `xmlns:a${i}="c"`, ' ')}>`,
      '</events>',
    ),
  },
};

export const FORMATS: readonly BodyFormat[] = [NDJSON, JSON_ARRAY, XML];
