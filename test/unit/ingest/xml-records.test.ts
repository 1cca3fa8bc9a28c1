import { Readable, Writable } from 'node:stream';
import { setImmediate as tick } from 'node:timers/promises';
import { pipeline } from 'node:stream/promises';
import * as fc from 'fast-check';
import { Problem } from '../../../src/event/problems';
import type { StreamRecord } from '../../../src/ingest/formats/ndjson-records';
import { StreamSource } from '../../../src/ingest/stream/stream-source';
import { streamSource } from '../../support/stream-source';
import { XmlRecords } from '../../../src/ingest/formats/xml-records';

const LIMIT = 1_000;
const event = (subject: string): string => `<event subject="${subject}"/>`;

/** Returns what reaches the end of a pipeline with a slow last stage, and the problem that broke the stream off. */
async function read(
  chunks: (Buffer | string)[],
  maxEventBytes = LIMIT,
): Promise<{ arrays: StreamRecord[][]; fault: unknown }> {
  const arrays: StreamRecord[][] = [];
  const last = new Writable({
    objectMode: true,
    highWaterMark: 4,
    write: (records: StreamRecord[], _encoding, done) => {
      void tick().then(() => arrays.push(records) && done());
    },
  });
  const source = streamSource(chunks);
  await pipeline(Readable.from(source.chunks()), new XmlRecords(maxEventBytes, source), last);
  return { arrays, fault: source.brokenBy };
}
async function recordsOf(chunks: (Buffer | string)[], maxEventBytes = LIMIT): Promise<[number, string][]> {
  const { arrays, fault } = await read(chunks, maxEventBytes);
  expect(fault).toBeUndefined();
  return arrays.flat().map(({ number, bytes }) => [number, bytes.toString()]);
}
async function sizesOf(chunks: (Buffer | string)[], maxEventBytes = LIMIT): Promise<unknown[]> {
  const { arrays, fault } = await read(chunks, maxEventBytes);
  expect(fault).toBeUndefined();
  return arrays.flat().map(({ receivedBytes }) => receivedBytes);
}
/** Returns the detail of the problem, and the subjects of the records before it. */
async function refusalOf(...chunks: (Buffer | string)[]): Promise<{ detail: string; before: unknown[] }> {
  const { arrays, fault } = await read(chunks);
  expect(fault).toBeInstanceOf(Problem);
  expect(fault).toMatchObject({ code: 'malformed-body' });
  const before = arrays.flat().map(({ bytes }) => (JSON.parse(bytes.toString()) as { subject?: string }).subject);
  return { detail: (fault as Problem).detail, before };
}
const BLANKS = ' \r\n\t '.repeat(1_000_000);
const bytewise = (bytes: Buffer): Buffer[] => [...bytes].map((byte) => Buffer.from([byte]));

describe('an XML document', () => {
  it.each([
    ['a root of any name', `<x:any a="1">${event('a')}${event('b')}</x:any>`],
    ['a declaration', `<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<e>${event('a')}${event('b')}</e>\n`],
    ['the encoding US-ASCII', `<?xml version="1.0" encoding="US-ASCII"?><e>${event('a')}${event('b')}</e>`],
    ['XML 1.1', `<?xml version="1.1"?><e>${event('a')}${event('b')}</e>`],
    ['a BOM', `\ufeff<?xml version="1.0"?><e>${event('a')}${event('b')}</e>`],
    ['comments and instructions', `<?p?><!--x--><e><!--y-->${event('a')}<?q r?>${event('b')}</e><!--z--><?s t?>`],
    ['CRLF and blanks', `<e>\r\n\t${event('a')}\r\n${event('b')}\r</e>\r\n`],
    ['blank CDATA under the root', `<e>${event('a')}<![CDATA[ ]]>${event('b')}</e>`],
  ])('may have %s', async (_what, document) => {
    const records = [
      [1, '{"subject":"a"}'],
      [2, '{"subject":"b"}'],
    ];
    expect(await recordsOf([document])).toEqual(records);
    expect(await recordsOf(bytewise(Buffer.from(document)))).toEqual(records);
  });

  it('may contain no events', async () => {
    expect(await recordsOf(['<events/>'])).toEqual([]);
    expect(await recordsOf(['<events>\n</events>'])).toEqual([]);
  });

  it('yields one array for each chunk that completes events', async () => {
    const { arrays } = await read([`<e>${event('a')}${event('b')}<eve`, 'nt subject="c">', '</event>', '', '</e>']);
    expect(arrays.map((records) => records.map(({ number }) => number))).toEqual([[1, 2], [3]]);
  });

  it('yields the same records and the same problem, however the bytes are split', async () => {
    const fragment = fc.constantFrom<string | Buffer>(
      ...['<event>', '</event>', '<event a="€">', '<payload>', '</payload>', '<a>', '</a>', '<a b="1"/>', '{"a":1}'],
      ...[event('a'), `<event\r\nsubject='😀'\n></event >`, `<event><payload>[1]</payload></event>`, '<!-- - € -->'],
      ...[
        '<![CDATA[]€]]>',
        'é😀\r\n',
        ' \r',
        '&#8364;',
        '&amp;',
        '<?p i?>',
        ']]',
        `<event>${'long '.repeat(20)}</event>`,
      ],
      ...['&', '\ufffd', '<!DOCTYPE', Buffer.from([0xe2, 0x82])],
    );
    const wellFormed = fc.constantFrom(
      event('a'),
      '<event><payload>é<a>€</a>\r\n</payload></event>',
      '\r\n',
      '<!--😀-->',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(wellFormed), fc.array(fragment), fc.array(fc.nat(400)), async (good, wild, cuts) => {
        const bytes = Buffer.concat(['\ufeff<e>', ...good, ...wild, '</e>'].map((part) => Buffer.from(part)));
        const ends = [...cuts, bytes.length].toSorted((a, b) => a - b);
        const chunks = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
        const [whole, cut] = [await read([bytes], 80), await read(chunks, 80)];
        expect(cut.arrays.flat().map(essentials)).toEqual(whole.arrays.flat().map(essentials));
        expect((cut.fault as Problem | undefined)?.code).toBe((whole.fault as Problem | undefined)?.code);
      }),
      { numRuns: 500 },
    );
  });
});

/** How much of a text that is too long is at hand depends on the chunks. */
function essentials({ number, bytes, receivedBytes, receivedText }: StreamRecord): unknown {
  return { number, bytes, receivedBytes, receivedText: (receivedBytes ?? 0) > 80 ? 'long' : receivedText };
}

describe('a malformed document', () => {
  const good = event('good');
  it.each([
    ['no bytes', '', /root element/],
    ['white space only', ' \n', /root element/],
    ['text that is not XML', 'hello', /outside of root/],
    ['a missing end tag', `<e>${good}`, /unclosed tag: e/],
    ['an end in the middle of a tag', `<e>${good}<eve`, /unclosed tag/],
    ['two roots', `<e>${good}</e><e/>`, /only one root/],
    ['text after the root', `<e>${good}</e>x`, /outside of root/],
    ['a wrong end tag', `<e>${good}</f>`, /unexpected close tag/],
    ['an event that another end tag closes', `<e>${good}<event subject="lost"></e>`, /unexpected close tag/],
    ['an event that the wrong end tag closes', `<e>${good}<event><payload>1</event>`, /unexpected close tag/],
    ['a bare ampersand', `<e>${good}<event>a & b; </event></e>`, /entity/],
    ['an undefined entity', `<e>${good}<event>&nbsp;</event></e>`, /undefined entity/],
    ['a reference to U+0000', `<e>${good}<event>&#0;</event></e>`, /character entity/],
    ['a reference to a surrogate', `<e>${good}<event>&#xd800;</event></e>`, /character entity/],
    ['a control character', `<e>${good}<event>\x01</event></e>`, /disallowed character/],
    ['a repeated attribute', `<e>${good}<event a="1" a="1"/></e>`, /duplicate attribute/],
    ['a document type', '<!DOCTYPE e><e/>', /DOCTYPE/],
    [
      'an entity of its own',
      '<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/passwd">]><e><event>&x;</event></e>',
      /DOCTYPE/,
    ],
    ['a document type after the root', `<e>${good}</e><!DOCTYPE e>`, /doctype/],
    ['an encoding that is not UTF-8', '<?xml version="1.0" encoding="Shift_JIS"?><e/>', /Shift_JIS.*UTF-8/],
    ['another element under the root', `<e>${good}<evnt/></e>`, /<event>.*<evnt>/],
    ['a prefixed event', `<e>${good}<s:event/></e>`, /<s:event>/],
    ['an event as its root', '<event><subject>s</subject></event>', /<subject>/],
    ['text under the root', `<e>${good}oops</e>`, /text/],
    ['CDATA under the root', `<e>${good}<![CDATA[oops]]></e>`, /text/],
    ['257 attributes', `<e>${good}<event ${attributes(257)}/></e>`, /256 attributes/],
    ['257 attributes within a payload', `<e>${good}<event><payload ${attributes(257)}/></event></e>`, /256 attributes/],
    ['257 attributes of the root', `<e ${attributes(257)}/>`, /256 attributes/],
    ['65 levels within a payload', `<e>${good}<event><payload>${nested(65)}</payload></event></e>`, /deeper than 67/],
  ])('yields the records before the error and is rejected: %s', async (_what, document, detail) => {
    const before = document.includes(good) ? ['good'] : [];
    for (const chunks of [[document], bytewise(Buffer.from(document))]) {
      const refusal = await refusalOf(...chunks);
      expect(refusal.detail).toMatch(detail);
      expect(refusal.before).toEqual(before);
    }
  });

  it.each([
    ['UTF-16 with a BOM', Buffer.from(`\ufeff<e>${good}</e>`, 'utf16le'), []],
    ['UTF-16 without one', Buffer.from(`<e>${good}</e>`, 'utf16le'), []],
    ['a byte of Latin 1', Buffer.from(`<e>${good}<event>\xe9</event></e>`, 'latin1'), ['good']],
    ['a surrogate', Buffer.concat([Buffer.from(`<e>${good}<event>`), Buffer.from([0xed, 0xa0, 0x80])]), ['good']],
    [
      'half a character at its end',
      Buffer.concat([Buffer.from(`<e>${good}</e>`), Buffer.from([0xe2, 0x82])]),
      ['good'],
    ],
  ])('is rejected for an encoding other than UTF-8: %s', async (_what, bytes, before) => {
    for (const chunks of [[bytes], bytewise(bytes)]) {
      const refusal = await refusalOf(...chunks);
      expect(refusal.detail).toContain('UTF-8');
      expect(refusal.before).toEqual(before);
    }
  });

  it('is rejected quickly with 100,000 attributes, and with a short message for a long name', async () => {
    const started = performance.now();
    await refusalOf(`<e><event ${attributes(100_000)}/></e>`);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect((await refusalOf(`<e><${'x'.repeat(10_000)}/></e>`)).detail.length).toBeLessThan(400);
  });

  it.each([
    ['comment', `<!--${'x'.repeat(5_000_000)}-->`],
    ['instruction', `<?p ${'x'.repeat(5_000_000)}?>`],
    ['name', `<${'x'.repeat(5_000_000)}/>`],
    ['attribute', `<event a="${'x'.repeat(5_000_000)}"/>`],
    ['attribute within an event', `<event><a b="${'x'.repeat(5_000_000)}"/></event>`],
    ['name within an event', `<event><${'x'.repeat(5_000_000)}/></event>`],
    ['document type', '<!DOCTYPE e ['.padEnd(5_000_000)],
  ])('is rejected for a part of 5 MB: %s', async (_what, part) => {
    const refusal = await refusalOf(part.startsWith('<!DOC') ? part : `<e>${event('good')}${part}</e>`);
    expect(refusal.detail).toContain(`${LIMIT + 16_384} characters`);
  });

  it.each([
    ['before it', `${BLANKS}<e>${event('a')}</e>`],
    ['between events', `<e>${event('a')}${BLANKS}</e>`],
    ['after it', `<e>${event('a')}</e>${BLANKS}`],
  ])('is accepted with 5 MB of white space %s', async (_where, document) => {
    expect(await recordsOf([document])).toHaveLength(1);
  });

  it('is accepted with the maximum of attributes and levels', async () => {
    const payload = `<payload ${attributes(256)}>${nested(64)}</payload>`;
    expect(await recordsOf([`<e><event>${payload}</event></e>`], 10_000)).toHaveLength(1);
  });
});

describe('an event that is too large', () => {
  const LONG = 5_000_000;
  it.each([
    ['text', `<event><payload>${'x'.repeat(LONG)}</payload></event>`],
    ['text of many references', `<event><payload>${'&lt;'.repeat(LONG / 4)}</payload></event>`],
    ['CDATA', `<event><payload><![CDATA[${'x'.repeat(LONG)}]]></payload></event>`],
    ['elements', `<event><payload>${'<a/>'.repeat(LONG / 4)}</payload></event>`],
    ['a comment', `<event><!--${'x'.repeat(LONG)}--></event>`],
    ['an instruction', `<event><?p ${'x'.repeat(LONG)}?></event>`],
    ['a start tag', `<event a="${'x'.repeat(LIMIT)}"/>`],
  ])('is rejected alone and is not kept in memory: %s', async (_what, tooLarge) => {
    const { arrays, fault } = await read([`<e>${event('a')}${tooLarge}${event('b')}</e>`]);
    expect(fault).toBeUndefined();
    expect(arrays.flat().map(({ number, bytes, receivedBytes }) => [number, bytes.toString(), receivedBytes])).toEqual([
      [1, '{"subject":"a"}', event('a').length],
      [2, '', tooLarge.length],
      [3, '{"subject":"b"}', event('b').length],
    ]);
  });

  it('is one byte over the limit, counted from its first to its last tag', async () => {
    const sized = (length: number): string => `<event><payload>${'"'.padEnd(length - 35, 'x')}"</payload></event>`;
    const document = [`<e>${sized(LIMIT)}${sized(LIMIT + 1)}</e>`];
    const [exact, over] = await recordsOf(document);
    expect(exact?.[1]).toMatch(/^\{"payload":"x+"\}$/);
    expect(over?.[1]).toBe('');
    expect(await sizesOf(document)).toEqual([LIMIT, LIMIT + 1]);
  });

  it('does not hide an error inside it', async () => {
    const refusal = await refusalOf(`<e>${event('good')}<event>${'x'.repeat(200_000)}<a></b></event></e>`);
    expect(refusal.detail).toContain('unexpected close tag');
    expect(refusal.before).toEqual(['good']);
  });
});

describe('the size of an event', () => {
  it('is that of the bytes received, not that of the JSON', async () => {
    const elements = `<event><payload>${'<a/>'.repeat(55_000)}</payload></event>`;
    const [[, json] = []] = await recordsOf([`<e>${elements}</e>`], 262_144);
    expect(json?.length).toBeGreaterThan(262_144);
    const escaped = `<event><payload><a>${'&#8364;'.repeat(100)}</a></payload></event>`;
    expect(await sizesOf([`<e>${elements}${escaped}</e>`], 262_144)).toEqual([elements.length, escaped.length]);
  });

  it('counts bytes of UTF-8, however they are split', async () => {
    const part = fc.constantFrom('€', '😀', 'é', 'x', '\r\n', '\r', '<a b="ü"/>', '<é/>', '<!--😀-->', ' ');
    const anEvent = fc.array(part).map((parts) => `<event\r\n a="€"><payload>${parts.join('')}</payload></event\r>`);
    const between = fc.constantFrom('', '\r\n', '<!--é-->', '\r', '<?p €?>');
    const documents = fc.array(fc.tuple(between, anEvent), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(documents, fc.array(fc.nat(400)), async (events, cuts) => {
        const bytes = Buffer.from(`\ufeff<?xml version="1.0"?><é>${events.flat().join('')}</é>`);
        const ends = [...cuts, bytes.length].toSorted((a, b) => a - b);
        const chunks = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
        expect(await sizesOf(chunks)).toEqual(events.map(([, text]) => Buffer.byteLength(text)));
      }),
      { numRuns: 300 },
    );
  });

  it('counts bytes when a long event is parsed in pieces', async () => {
    const long = `<event><payload><a>${'€'.repeat(80_000)}\r</a></payload></event>`;
    expect(await sizesOf([`<é>${long}\r${long}</é>`], 300_000)).toEqual([long, long].map((e) => Buffer.byteLength(e)));
  });

  it('bounds that of the JSON', async () => {
    const names = Array.from({ length: 5_000 }, (_, i) => i.toString(36).padStart(3, 'a').replace(/^\d/, 'z'));
    const worst = [
      names.map((name) => `<${name}/>`),
      names.map((name) => `<a ${name}=""/>`),
      names.map((name) => `<${name}>"</${name}>`),
      names.map(() => '<a/>"'),
      ['<a>', '"'.repeat(10_000), '</a>'],
      ['<a>', '\t'.repeat(10_000), '</a>'],
    ];
    for (const parts of worst) {
      const payload = parts.join('');
      const [[, json = ''] = []] = await recordsOf([`<e><event><payload>${payload}</payload></event></e>`], 100_000);
      expect(json.length).toBeLessThan(2.5 * payload.length + 100);
    }
  });

  it('bounds the namespaces that a root adds to each event', async () => {
    const root = (length: number) =>
      `<e xmlns:n="${'u'.repeat(length - 7)}"><event><payload><n:a/></payload></event></e>`;
    expect((await recordsOf([root(4_096)]))[0]?.[1]).toHaveLength(4_096 + 31);
    expect((await refusalOf(root(4_097))).detail).toContain('4096 characters');
  });
});

describe('an error in the middle of a stream', () => {
  const chunks = ['<e>', ...Array.from({ length: 40 }, (_, i) => event(String(i))), '<oops/>', event('after')];

  it('loses none of the records before it, even with slow later stages', async () => {
    const { arrays, fault } = await read(chunks);
    expect(String(fault)).toContain('<oops>');
    expect(arrays.flat().map(({ number }) => number)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  });

  it('ends the stream while the sender neither ends nor continues', async () => {
    const body = new Readable({ read: () => undefined });
    body.push(Buffer.from(chunks.join('')));
    const source = new StreamSource(body, undefined, {
      STREAM_MAX_BYTES: 1_000_000,
      REQUEST_STALL_TIMEOUT_MS: 600_000,
    });
    const last = new Writable({ objectMode: true, write: (_records, _encoding, done) => done() });
    await pipeline(Readable.from(source.chunks()), new XmlRecords(LIMIT, source), last);
    expect(String(source.brokenBy)).toContain('<oops>');
  });
});

function attributes(count: number): string {
  return Array.from({ length: count }, (_, i) => `a${i}=""`).join(' ');
}

function nested(levels: number): string {
  return '<a>'.repeat(levels) + '</a>'.repeat(levels);
}
