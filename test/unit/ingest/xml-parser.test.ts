import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { xmlParser } from '../../../src/ingest/formats/xml-parser';

const EVENTS = ['text', 'cdata', 'comment', 'processinginstruction', 'doctype', 'xmldecl'] as const;

/** Returns everything that a parser reports about a document that comes in pieces, with the places, up to an error. */
function reported(parser: SaxesParser<{ xmlns: false; fragment: false }>, pieces: readonly string[]): unknown[] {
  const report: unknown[] = [];
  const add = (event: string, value: unknown): void => {
    const { position, line, column, columnIndex } = parser;
    report.push([event, value, position, line, column, columnIndex]);
  };
  for (const event of EVENTS) parser.on(event, (value: unknown) => add(event, structuredClone(value)));
  parser.on('opentagstart', ({ name }) => add('opentagstart', name));
  parser.on('attribute', ({ name, value }) => add('attribute', [name, value]));
  parser.on('opentag', ({ name, attributes }) => add('opentag', [name, Object.entries(attributes)]));
  parser.on('closetag', ({ name }) => add('closetag', name));
  parser.on('error', ({ message }) => {
    add('error', message);
    throw new Error(message);
  });
  try {
    for (const piece of pieces) {
      parser.write(piece);
      report.push(['piece', parser.line, parser.column]); // the position is of no meaning here
    }
    parser.close();
  } catch (error) {
    if (report.at(-1) === undefined) throw error;
  }
  return report;
}

function expectSame(pieces: readonly string[]): void {
  const saxes = new SaxesParser({ xmlns: false, fragment: false } as const);
  expect(reported(xmlParser(), pieces)).toEqual(reported(saxes, pieces));
}

function cut(text: string, at: readonly number[]): string[] {
  const ends = [...at.map((one) => one % (text.length + 1)), text.length].toSorted((a, b) => a - b);
  return ends.map((end, i) => text.slice(ends[i - 1] ?? 0, end));
}

/** What ends a run of ordinary characters, or looks as if it did. */
const PARTS = [
  ...['text', ' ', '\n', '\r', '\r\n', '\n\n a', '\t', ']', ']]', ']]>', '>', ']>', 'a > b', '] ] >'],
  ...['&quot;', '&amp;', '&lt;', '&gt;', '&apos;', '&#10;', '&#x1F600;', '&#0;', '&', '&quot', '&nbsp;', '&;', '&a b;'],
  ...['<a>', '</a>', '<b:c>', '</b:c>', '<é>', '</é>', '<a >', '</a >', '<a/>', '<1>', '<a', '</', '<'],
  ...['<a x="1">', '<a x=\'"2"\' y="\'">', '<a x="&lt;\t\n\r">', '<a x="<">', '<a x="1" x="2">', '<a x=1>', '<a x>'],
  ...['<![CDATA[', '<![CDATA[]]>', '<![CDATA[a]b]]c]]]>', '<![CDATA[<&>\n]]>', '<!--a-->', '<!-- - -->', '<!--a--b-->'],
  ...['<?p i?>', '<?xml version="1.0"?>', '<?xml version="1.1"?>', '<!DOCTYPE a>', '"', "'", '=', '/', '?', '!', '-'],
  ...['\u0000', '\u0001', '\u001f', '\u007f', '\u0085', '\u009f', '\u00a0', '\u2028', '\u2029', '\ud7ff', '\ue000'],
  ...['é', '中，', '😀', '\ud800', '\udfff', '\udbff\udfff', '\ufffd', '\ufffe', '\uffff', '\ufeff'],
];

const parts = fc.array(fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...PARTS) }, fc.string({ unit: 'binary' })));
const cuts = fc.array(fc.nat(2_000), { maxLength: 8 });

describe('the XML parser', () => {
  it('reports what saxes reports, at the same places, of documents of any parts in any pieces', () => {
    fc.assert(
      fc.property(fc.constantFrom('', '1.0', '1.1'), parts, cuts, (version, inside, at) => {
        const declaration = version === '' ? '' : `<?xml version="${version}"?>\n`;
        expectSame(cut(`${declaration}<root>${inside.join('')}</root>`, at));
      }),
      { numRuns: 20_000 },
    );
  });

  it('reports what saxes reports of a part by itself, and of each in pieces of one character', () => {
    for (const part of PARTS) {
      for (const document of [
        part,
        `<r>${part}</r>`,
        `<r>a${part}b</r>`,
        `<r x="${part}"/>`,
        `<r><![CDATA[${part}]]></r>`,
      ]) {
        expectSame([document]);
        expectSame(document.split(''));
      }
    }
  });

  it('reports what saxes reports of a document with one character changed, removed or added', () => {
    const document =
      '<?xml version="1.0" encoding="UTF-8"?>\r\n<events xmlns:n="urn:n">\n  <event subject="é &amp; 1">' +
      '<payload>{"a":[[1,2]],"b":"&lt;x> 中，😀"}</payload><n:c><![CDATA[{"a":[[]]}]]></n:c><!--c--><?p i?></event>\n</events>\n';
    const change = fc.tuple(fc.nat(document.length), fc.nat(2), fc.constantFrom(...PARTS, 'x', '&', '<', '>', ']'));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), cuts, (changes, at) => {
        let changed = document;
        for (const [place, removed, added] of changes) {
          changed = changed.slice(0, place) + added + changed.slice(place + removed);
        }
        expectSame(cut(changed, at));
      }),
      { numRuns: 20_000 },
    );
  });

  it('is made for the saxes whose private members it uses', () => {
    const { version } = JSON.parse(readFileSync(require.resolve('saxes/package.json'), 'utf8')) as { version: string };
    expect(version).toMatch(/^6\.0\./);
  });
});
